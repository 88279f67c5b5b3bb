"""SNS's topics, and who hears what."""

from harness import DoubleTest, client

ARN = "arn:aws:sns:eu-central-1:111122223333:on-call"
QUEUE = "arn:aws:sqs:eu-central-1:111122223333:pages"


class NotificationsTest(DoubleTest):
    def setUp(self):
        super().setUp()
        self.sns = client("sns")

    def messages(self):
        return self.admin("GET", "snapshot?service=sns")["sns"]["messages"]

    def test_a_topic_is_there_once_and_is_gone_once(self):
        self.assertEqual(ARN, self.sns.create_topic(Name="on-call")["TopicArn"])
        self.assertEqual(ARN, self.sns.create_topic(Name="on-call")["TopicArn"])
        self.assertEqual([{"TopicArn": ARN}], self.sns.list_topics()["Topics"])
        self.sns.set_topic_attributes(TopicArn=ARN, AttributeName="KmsMasterKeyId", AttributeValue="alias/aws/sns")
        self.assertEqual("alias/aws/sns", self.sns.get_topic_attributes(TopicArn=ARN)["Attributes"]["KmsMasterKeyId"])
        self.sns.delete_topic(TopicArn=ARN)
        self.sns.delete_topic(TopicArn=ARN)
        self.fails("NotFound", 404, self.sns.get_topic_attributes, TopicArn=ARN)
        self.fails("InvalidParameter", 400, self.sns.get_topic_attributes, TopicArn="on-call")
        self.fails("InvalidParameter", 400, self.sns.create_topic, Name="on call")
        self.fails("NotImplementedByThisDouble", 501, self.sns.create_topic, Name="on-call.fifo")

    def test_who_has_confirmed_hears_what_is_published(self):
        self.sns.create_topic(Name="on-call")
        self.assertTrue(self.sns.subscribe(TopicArn=ARN, Protocol="sqs", Endpoint=QUEUE)["SubscriptionArn"].startswith(ARN))
        self.assertEqual("pending confirmation", self.sns.subscribe(TopicArn=ARN, Protocol="email", Endpoint="night@example.com")["SubscriptionArn"])
        counts = self.sns.get_topic_attributes(TopicArn=ARN)["Attributes"]
        self.assertEqual(("1", "1"), (counts["SubscriptionsConfirmed"], counts["SubscriptionsPending"]))
        self.sns.publish(TopicArn=ARN, Message="P1", Subject="rollback", MessageAttributes={"severity": {"DataType": "String", "StringValue": "1"}})
        first = self.messages()[0]
        self.assertEqual(("P1", "rollback", {"severity": {"DataType": "String", "StringValue": "1"}}, [QUEUE]), (first["message"], first["subject"], first["attributes"], first["heardBy"]))
        token = self.admin("GET", "snapshot?service=sns")["sns"]["topics"][ARN]["subscriptions"][1]["token"]
        self.fails("InvalidParameter", 400, self.sns.confirm_subscription, TopicArn=ARN, Token="guess")
        self.sns.confirm_subscription(TopicArn=ARN, Token=token)
        self.sns.publish(TopicArn=ARN, Message="P2")
        self.assertEqual([QUEUE, "night@example.com"], self.messages()[1]["heardBy"])
        self.assertEqual([QUEUE, "night@example.com"], [it["Endpoint"] for it in self.sns.list_subscriptions_by_topic(TopicArn=ARN)["Subscriptions"]])

    def test_what_cannot_be_published_is_refused_and_reaches_nobody(self):
        self.sns.create_topic(Name="on-call")
        self.fails("NotFound", 404, self.sns.publish, TopicArn=ARN + "s", Message="P1")
        self.fails("InvalidParameter", 400, self.sns.publish, TopicArn=ARN, Message="x" * 262145)
        self.fails("InvalidParameter", 400, self.sns.publish, TopicArn=ARN, Message="")
        self.fails("InvalidParameter", 400, self.sns.publish, TopicArn=ARN, Message="P1", MessageGroupId="g")
        self.assertEqual([], self.messages())

    def test_a_reply_that_was_lost_was_published_all_the_same(self):
        self.sns.create_topic(Name="on-call")
        self.admin("POST", "faults", {"service": "sns", "operation": "Publish", "kind": "lose"})
        with self.assertRaises(Exception):
            self.sns.publish(TopicArn=ARN, Message="P1")
        self.assertEqual(["P1"], [it["message"] for it in self.messages()])
        self.admin("POST", "faults", {"service": "sns", "operation": "Publish", "kind": "throttle"})
        self.fails("Throttling", 400, self.sns.publish, TopicArn=ARN, Message="P2")

    def test_the_command_line_publishes(self):
        made, _, _, attributes = self.commands(
            "sns", ["create-topic", "--name", "on-call"], ["subscribe", "--topic-arn", ARN, "--protocol", "sqs", "--notification-endpoint", QUEUE],
            ["publish", "--topic-arn", ARN, "--message", "P1"], ["get-topic-attributes", "--topic-arn", ARN])
        self.assertEqual((ARN, "1"), (made["TopicArn"], attributes["Attributes"]["SubscriptionsConfirmed"]))
        self.assertEqual([QUEUE], self.messages()[0]["heardBy"])
