"""What a caller needs to call a method of the Notifier: one of these scopes. Not here: nobody."""

from holdfast.chassis.identity.gate import Rights, named

NOTIFIER_SERVICE: Rights = {
    "CreateWebhook": frozenset({"webhooks:manage"}),
    "GetWebhook": frozenset({"webhooks:manage"}),
    "ListWebhooks": frozenset({"webhooks:manage"}),
    "UpdateWebhook": frozenset({"webhooks:manage"}),
    "DeleteWebhook": frozenset({"webhooks:manage"}),
    "RotateWebhookSecret": frozenset({"webhooks:manage"}),
    "TestWebhook": frozenset({"webhooks:manage"}),
    "ReplayWebhook": frozenset({"webhooks:manage"}),
    "ListDeliveries": frozenset({"webhooks:manage"}),
    "Redeliver": frozenset({"webhooks:manage"}),
    "ListMails": frozenset({"customers:read"}),
    "RetryMail": frozenset({"customers:write"}),
}

RIGHTS: Rights = named("holdfast.notifier.v1.NotifierService", NOTIFIER_SERVICE)
