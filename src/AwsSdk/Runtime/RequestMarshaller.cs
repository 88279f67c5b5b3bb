using Amazon.Runtime.Internal;
using Amazon.Runtime.Internal.Transform;

namespace Amazon.Runtime.StandIn;

/// <summary>A request's marshaller as a function.</summary>
internal sealed class RequestMarshaller<TRequest>(Func<TRequest, IRequest> marshal) : IMarshaller<IRequest, AmazonWebServiceRequest>
    where TRequest : AmazonWebServiceRequest
{
    public IRequest Marshall(AmazonWebServiceRequest input) => marshal((TRequest)input);
}
