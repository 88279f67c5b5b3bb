"""SNS: standard topics, who listens to them, and what was published."""

import secrets
import uuid

from wire.errors import AwsError

from .service import ACCOUNT, REGION, Service, page

BYTES_MAX = 262144
# These listen without being asked whether they want to.
AT_ONCE = ("lambda", "sqs", "firehose")


class Sns(Service):
    name, source = "sns", "sns.amazonaws.com"
    data_events = ("Publish",)
    history = ("messages",)

    def __init__(self, world):
        super().__init__(world)
        self.state = {"topics": {}, "messages": []}

    def CreateTopic(self, p):
        if p["Name"].endswith(".fifo") or p.get("Attributes", {}).get("FifoTopic") == "true":
            raise AwsError("NotImplementedByThisDouble", "FIFO topics are not part of the double.", 501)
        if not all(c.isalnum() or c in "_-" for c in p["Name"]) or len(p["Name"]) > 256:
            raise AwsError("InvalidParameter", "Invalid parameter: Topic Name", 400)
        arn = f"arn:aws:sns:{REGION}:{ACCOUNT}:{p['Name']}"
        self.state["topics"].setdefault(arn, {"attributes": dict(p.get("Attributes", {})), "subscriptions": []})
        return {"TopicArn": arn}

    def DeleteTopic(self, p):
        self.state["topics"].pop(p["TopicArn"], None)  # repeating is no error
        return {}

    def ListTopics(self, p):
        arns, after = page(sorted(self.state["topics"]), p.get("NextToken"), 100)
        return {"Topics": [{"TopicArn": arn} for arn in arns], **({"NextToken": after} if after else {})}

    def GetTopicAttributes(self, p):
        topic = self.topic(p["TopicArn"])
        pending = sum(it["SubscriptionArn"] == "PendingConfirmation" for it in topic["subscriptions"])
        counts = {"SubscriptionsConfirmed": len(topic["subscriptions"]) - pending, "SubscriptionsPending": pending, "SubscriptionsDeleted": 0}
        return {"Attributes": {"TopicArn": p["TopicArn"], "Owner": ACCOUNT, "DisplayName": "", **topic["attributes"], **{name: str(count) for name, count in counts.items()}}}

    def SetTopicAttributes(self, p):
        self.topic(p["TopicArn"])["attributes"][p["AttributeName"]] = p.get("AttributeValue", "")
        return {}

    def Subscribe(self, p):
        subscriptions = self.topic(p["TopicArn"])["subscriptions"]
        there = next((it for it in subscriptions if (it["Protocol"], it["Endpoint"]) == (p["Protocol"], p["Endpoint"])), None)
        if not there:
            arn = f"{p['TopicArn']}:{uuid.uuid4()}" if p["Protocol"] in AT_ONCE else "PendingConfirmation"
            there = {"SubscriptionArn": arn, "Protocol": p["Protocol"], "Endpoint": p["Endpoint"], "token": secrets.token_hex(16)}
            subscriptions.append(there)
        pending = there["SubscriptionArn"] == "PendingConfirmation" and not p.get("ReturnSubscriptionArn")
        return {"SubscriptionArn": "pending confirmation" if pending else there["SubscriptionArn"]}

    def ConfirmSubscription(self, p):
        there = next((it for it in self.topic(p["TopicArn"])["subscriptions"] if it["token"] == p["Token"]), None)
        if not there:
            raise AwsError("InvalidParameter", "Invalid parameter: Token", 400)
        there["SubscriptionArn"] = f"{p['TopicArn']}:{uuid.uuid4()}"
        return {"SubscriptionArn": there["SubscriptionArn"]}

    def ListSubscriptionsByTopic(self, p):
        items, after = page(self.topic(p["TopicArn"])["subscriptions"], p.get("NextToken"), 100)
        said = [{"SubscriptionArn": it["SubscriptionArn"], "Owner": ACCOUNT, "Protocol": it["Protocol"], "Endpoint": it["Endpoint"], "TopicArn": p["TopicArn"]} for it in items]
        return {"Subscriptions": said, **({"NextToken": after} if after else {})}

    def Publish(self, p):
        if "TopicArn" not in p:
            raise AwsError("NotImplementedByThisDouble", "Only topics are part of the double.", 501)
        topic = self.topic(p["TopicArn"])
        if not p["Message"]:
            raise AwsError("InvalidParameter", "Invalid parameter: Empty message", 400)
        if len(p["Message"].encode()) > BYTES_MAX:
            raise AwsError("InvalidParameter", "Invalid parameter: Message too long", 400)
        if "MessageGroupId" in p:
            raise AwsError("InvalidParameter", "Invalid parameter: MessageGroupId Reason: The request includes MessageGroupId parameter that is not valid for this topic type", 400)
        heard = [it["Endpoint"] for it in topic["subscriptions"] if it["SubscriptionArn"] != "PendingConfirmation"]
        message = {"MessageId": str(uuid.uuid4()), "topic": p["TopicArn"], "message": p["Message"], "subject": p.get("Subject"), "attributes": p.get("MessageAttributes", {}), "heardBy": heard}
        self.state["messages"].append(message)
        return {"MessageId": message["MessageId"]}

    def topic(self, arn):
        if not arn.startswith(f"arn:aws:sns:{REGION}:{ACCOUNT}:"):
            raise AwsError("InvalidParameter", "Invalid parameter: TopicArn", 400)
        if arn not in self.state["topics"]:
            raise AwsError("NotFound", "Topic does not exist", 404)
        return self.state["topics"][arn]
