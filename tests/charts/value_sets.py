"""Values that people have, by what they are for: every rule is held against each of them."""

from collections.abc import Mapping
from typing import Any

Values = Mapping[str, Any]

SERVICE_KEY = 4 * "hunter2 calls so"
MADE: Values = {
    service: {
        "secret": {
            "values": {
                "database": f"postgresql://holdfast:hunter2@{service}-database/{service}",
                "broker": "amqp://holdfast:hunter2@broker/",
                "service_key": SERVICE_KEY,
            }
        }
    }
    for service in ("orders", "inventory")
} | {
    "notifier": {
        "secret": {
            "values": {
                "database": "postgresql://holdfast:hunter2@notifier-database/notifier",
                "sealing_secrets": 4 * "hunter2 seals so",
                "service_key": SERVICE_KEY,
                "smtp": "smtp+starttls://shop:hunter2@mail.example:587",
            }
        }
    }
}
EXISTING: Values = {
    "orders": {"secret": {"name": "orders-addresses"}},
    "inventory": {"secret": {"name": "inventory-addresses"}},
    "notifier": {"secret": {"name": "notifier-addresses"}},
}
TLS: Values = {
    "orders": {"tls": {"secret": "orders-tls"}},
    "inventory": {"tls": {"secret": "inventory-tls"}},
    "notifier": {"tls": {"secret": "notifier-tls"}},
}
MUTUAL: Values = {
    "orders": {
        "tls": {
            "secret": "orders-tls",
            "clientCertificates": True,
            "clientNames": ["shop", "scanner", "notifier", "console"],
        }
    },
    "inventory": {
        "tls": {
            "secret": "inventory-tls",
            "clientCertificates": True,
            "clientNames": ["orders", "notifier", "console"],
        }
    },
    "notifier": {"tls": {"secret": "notifier-tls"}},
    "console": {"tls": {"secret": "console-tls"}},
    "trust": {"secret": "our-authorities"},
}
WORKERS: Values = {
    "orders": {"workers": 4, "resources": {"limits": {"memory": "2Gi"}}},
    "inventory": {"workers": 2},
}
SETTINGS: Values = {
    "orders": {
        "settings": {
            "late_s": 2.5,
            "expire_s": 7200,
            "outbox_events_max": 1_000_000,
            "outbox_age_s_max": 90,
            "ship_requires": {"web": "PAID", "": "AUTHORIZED"},
            "log_level": "WARNING",
        }
    },
    "inventory": {"settings": {"log_level": "DEBUG", "feed_days": 7}},
    "notifier": {
        "settings": {
            "mail_from": "orders@shop.example",
            "shop_name": "Lamps & more",
            "mails": ["confirmed", "shipped"],
            "webhook_networks": ["10.20.0.0/16", "fd00:20::/32"],
            "webhook_ports": [443, 8443],
            "kept_days": 7,
        }
    },
}
TEMPLATES: Values = {
    "notifier": {
        "templates": {
            "configMap": "mail-templates",
            "items": [{"key": "confirmed", "path": "en/confirmed.txt"}],
        }
    }
}
QUIET: Values = {"notifier": {"enabled": False}}
HIDDEN: Values = {"console": {"enabled": False}}
SIGNED_IN: Values = {
    "console": {
        "settings": {
            "public_url": "https://oms.example",
            "oidc_issuer": "https://login.example",
            "oidc_client_id": "console",
        },
        "secret": {"values": {"oidc_client_secret": "hunter2"}},
        "files": {"claim": "console-files"},
    }
}
ISSUERS: Values = {
    "orders": {
        "settings": {"issuers": [{"issuer": "https://id.example/", "audience": "holdfast"}]},
    },
}
HTTP: Values = {
    "http": {"enabled": True},
    "orders": {"httpWorkers": 2},
    "ingress": {
        "enabled": True,
        "className": "nginx",
        "host": "shop.example",
        "tlsSecret": "shop-tls",
        "annotations": {"nginx.ingress.kubernetes.io/proxy-body-size": "4m"},
    },
}
GATEWAY: Values = {
    "http": {"enabled": True, "port": 8080},
    "gateway": {
        "enabled": True,
        "parentRefs": [{"name": "public", "namespace": "gateways"}],
        "hostnames": ["shop.example"],
    },
}
METRICS: Values = {
    "metrics": {
        "enabled": True,
        "podMonitor": {"enabled": True, "labels": {"team": "shop"}},
        "rules": {"enabled": True},
    },
    "orders": {"workers": 2},
}
AUTOSCALED: Values = {
    "orders": {"autoscaling": {"enabled": True, "minReplicas": 3, "maxReplicas": 12}},
    "inventory": {"autoscaling": {"enabled": True}, "maxUnavailable": "50%"},
}
CLOSED: Values = {
    "networkPolicy": {
        "orders": [],
        "inventory": [{"podSelector": {"matchLabels": {"app": "warehouse"}}}],
        "egress": {
            "database": {"ports": [6432], "to": [{"ipBlock": {"cidr": "10.1.0.0/16"}}]},
            "others": [{"ports": [{"port": 443}]}],
        },
    }
}
OPEN: Values = {"networkPolicy": {"enabled": False}}
MIGRATED: Values = {"migration": {"secret": "owner-of-tables"}}
BY_HAND: Values = {"migration": {"enabled": False}}
PLACED: Values = {
    "fullnameOverride": "orders-of-a-shop",
    "image": {
        "repository": "registry.example/holdfast",
        "digest": f"sha256:{'0' * 64}",
        "pullSecrets": ["registry"],
    },
    "listenHost": "[::]",
    "serviceAccountName": "holdfast",
    "orders": {
        "replicas": 3,
        "port": 443,
        "podAnnotations": {"team": "shop"},
        "podLabels": {"tier": "gold"},
        "nodeSelector": {"kubernetes.io/arch": "amd64"},
        "tolerations": [{"key": "orders", "operator": "Exists"}],
        "affinity": {"podAntiAffinity": {}},
        "priorityClassName": "high",
    },
}

# Each on its own, on Secrets that the chart makes or that are there.
VALUE_SETS: dict[str, tuple[Values, ...]] = {
    "the least": (MADE,),
    "existing secrets": (EXISTING,),
    "workers": (MADE, WORKERS),
    "settings": (MADE, SETTINGS),
    "issuers": (MADE, ISSUERS),
    "tls": (EXISTING, TLS),
    "mutual tls": (EXISTING, MUTUAL),
    "people sign in": (MADE, SIGNED_IN),
    "without the console": (MADE, HIDDEN, GATEWAY),
    "templates of mails": (MADE, TEMPLATES),
    "without the notifier": (MADE, QUIET),
    "http": (MADE, HTTP),
    "gateway": (MADE, GATEWAY),
    "metrics": (MADE, METRICS),
    "autoscaled": (MADE, AUTOSCALED),
    "closed": (MADE, CLOSED),
    "open": (MADE, OPEN),
    "migrated by an owner": (MADE, MIGRATED),
    "migrated by hand": (MADE, BY_HAND),
    "placed": (EXISTING, PLACED),
    "all": (
        EXISTING,
        TLS,
        SIGNED_IN,
        WORKERS,
        SETTINGS,
        TEMPLATES,
        HTTP,
        GATEWAY,
        METRICS,
        AUTOSCALED,
        CLOSED,
        MIGRATED,
        PLACED,
    ),
}
