{{/* What may and may not be done in any container of ours. */}}
{{- define "holdfast.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* What holds for every pod of ours. Takes root, and the ports at which its processes listen. */}}
{{- define "holdfast.podSecurity" -}}
{{- $low := list -}}
{{- range .ports -}}
{{- if lt (int .) 1024 -}}
{{- $low = append $low . -}}
{{- end -}}
{{- end -}}
serviceAccountName: {{ .root.Values.serviceAccountName }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
  {{- if $low }}
  sysctls: # else these ports are for root
    - name: net.ipv4.ip_unprivileged_port_start
      value: "0"
  {{- end }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* A value as a setting's text. Helm holds 1000000 as a float, and would print it as 1e+06. Of a list
     the parts stand between commas, unless they have parts themselves. */}}
{{- define "holdfast.text" -}}
{{- if kindIs "slice" . -}}
{{- if kindIs "map" (first .) -}}
{{ toJson . }}
{{- else -}}
{{ join "," . }}
{{- end -}}
{{- else if kindIs "map" . -}}
{{ toJson . }}
{{- else if and (kindIs "float64" .) (eq (floor .) .) -}}
{{ printf "%.0f" . }}
{{- else -}}
{{ toString . }}
{{- end -}}
{{- end -}}

{{- define "holdfast.secretVariable" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: {{ .key }}
      {{- if .optional }}
      optional: true
      {{- end }}
{{- end -}}

{{/* The settings of a service as its environment holds them. Takes root and part. */}}
{{- define "holdfast.environment" -}}
{{- $service := get .root.Values .part -}}
{{- $prefix := printf "HOLDFAST_%s_" (upper .part) -}}
{{- $secret := include "holdfast.secret" . -}}
{{- $host := .root.Values.listenHost -}}
{{- range $key := include "holdfast.secretKeys" . | fromJsonArray }}
{{- $needed := has $key (include "holdfast.neededKeys" $ | fromJsonArray) }}
{{ include "holdfast.secretVariable" (dict "name" (printf "%s%s" $prefix (upper $key)) "secret" $secret "key" $key "optional" (not $needed)) }}
{{- end }}
- name: {{ $prefix }}LISTEN
  value: {{ printf "%s:%v" $host $service.port | quote }}
{{- if ne .part "inventory" }}
- name: {{ $prefix }}INVENTORY
  value: {{ $service.inventory | default (printf "%s-inventory:%v" (include "holdfast.fullname" .root) .root.Values.inventory.port) | quote }}
{{- end }}
{{- if eq .part "notifier" }}
- name: {{ $prefix }}ORDERS
  value: {{ $service.orders | default (printf "%s-orders:%v" (include "holdfast.fullname" .root) .root.Values.orders.port) | quote }}
{{- if $service.templates.configMap }}
- name: {{ $prefix }}TEMPLATES
  value: /etc/holdfast/templates
{{- end }}
{{- end }}
{{- if .root.Values.http.enabled }}
- name: {{ $prefix }}HTTP
  value: {{ printf "%s:%v" $host .root.Values.http.port | quote }}
{{- end }}
{{- if include "holdfast.admin" .root }}
- name: {{ $prefix }}ADMIN
  value: {{ printf "%s:%v" $host .root.Values.metrics.port | quote }}
{{- end }}
{{- range $name, $value := include "holdfast.tlsSettings" . | fromYaml }}
- name: {{ $prefix }}{{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- range $name, $value := $service.settings }}
- name: {{ $prefix }}{{ upper $name }}
  value: {{ include "holdfast.text" $value | quote }}
{{- end }}
{{- end -}}

{{/* Which files are certificates: of the port, and for the way to others. Takes root and part. */}}
{{- define "holdfast.tlsSettings" -}}
{{- $tls := (get .root.Values .part).tls -}}
{{- $inventory := .root.Values.inventory.tls -}}
{{- $orders := .root.Values.orders.tls -}}
{{- if $tls.secret }}
TLS_CERTIFICATE: /etc/holdfast/tls/tls.crt
TLS_KEY: /etc/holdfast/tls/tls.key
{{- if $tls.clientCertificates }}
TLS_CLIENT_CA: /etc/holdfast/tls/ca.crt
{{- with $tls.clientNames }}
TLS_CLIENT_NAMES: {{ join "," . }}
{{- end }}
{{- else if $tls.clientNames }}
{{- fail (printf "%s.tls.clientNames: without clientCertificates no certificate is asked for" .part) }}
{{- end }}
{{- else if or $tls.clientCertificates $tls.clientNames }}
{{- fail (printf "%s.tls.secret: name the Secret with tls.crt, tls.key and ca.crt" .part) }}
{{- end }}
{{- if and (eq .part "orders") $inventory.secret }}
INVENTORY_CA: /etc/holdfast/inventory/ca.crt
{{- if $inventory.clientCertificates }}
{{- if not $tls.secret }}
{{- fail "orders.tls.secret: Inventory asks for certificates, so Orders needs one" }}
{{- end }}
INVENTORY_CERTIFICATE: /etc/holdfast/tls/tls.crt
INVENTORY_KEY: /etc/holdfast/tls/tls.key
{{- end }}
{{- end }}
{{- if and (eq .part "notifier") (or $orders.secret $inventory.secret) }}
{{- if not (and $orders.secret $inventory.secret) }}
{{- fail "orders.tls.secret and inventory.tls.secret: the Notifier asks both by TLS, or neither" }}
{{- end }}
SERVICES_CA: /etc/holdfast/services/ca.crt
{{- if or $orders.clientCertificates $inventory.clientCertificates }}
{{- if not $tls.secret }}
{{- fail "notifier.tls.secret: Orders or Inventory asks for certificates, so the Notifier needs one" }}
{{- end }}
SERVICES_CERTIFICATE: /etc/holdfast/tls/tls.crt
SERVICES_KEY: /etc/holdfast/tls/tls.key
{{- end }}
{{- end }}
{{- end -}}

{{/* Where files come from, as volumes by the folder in /etc/holdfast. Takes root and part. */}}
{{- define "holdfast.mounted" -}}
{{- $service := get .root.Values .part -}}
{{- with $service.tls.secret }}
tls: {secret: {secretName: {{ . }}, defaultMode: 0440}}
{{- end }}
{{- if eq .part "orders" }}
{{- with .root.Values.inventory.tls.secret }}
inventory: {secret: {secretName: {{ . }}, items: [{key: ca.crt, path: ca.crt}], defaultMode: 0440}}
{{- end }}
{{- end }}
{{- if eq .part "notifier" }}
{{- with .root.Values.orders.tls.secret }}
services: {secret: {secretName: {{ . }}, items: [{key: ca.crt, path: ca.crt}], defaultMode: 0440}}
{{- end }}
{{- with $service.templates }}
{{- if .configMap }}
templates: {configMap: {name: {{ .configMap }}, items: {{ toJson .items }}}}
{{- end }}
{{- end }}
{{- end }}
{{- with .root.Values.trust.secret }}
trust: {secret: {secretName: {{ . }}, defaultMode: 0440}}
{{- end }}
{{- end -}}

{{/* How Kubernetes asks whether it lives. Takes root, part and path. */}}
{{- define "holdfast.probe" -}}
{{- if include "holdfast.admin" .root -}}
httpGet:
  path: {{ .path }}
  port: {{ .root.Values.metrics.port }}
{{- else -}}
grpc:
  port: {{ (get .root.Values .part).port }}
{{- end -}}
{{- end -}}
