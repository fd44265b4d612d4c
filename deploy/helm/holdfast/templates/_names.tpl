{{/* What all names begin with. */}}
{{- define "holdfast.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride }}
{{- else -}}
{{- $suffix := ternary "" (printf "-%s" .Chart.Name) (contains .Chart.Name .Release.Name) -}}
{{- $name := printf "%s%s" .Release.Name $suffix | trunc 40 | trimSuffix "-" -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name) -}}
{{- fail (printf "fullnameOverride: the release's name makes %s, and names of Services begin with a letter and have no dots" $name) -}}
{{- end -}}
{{ $name }}
{{- end -}}
{{- end -}}

{{/* What tells the pods of a part from all others; it never changes. Takes root and part. */}}
{{- define "holdfast.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end -}}

{{- define "holdfast.labels" -}}
{{ include "holdfast.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "holdfast.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The services that run, as a list in JSON, in the order in which one needs another. */}}
{{- define "holdfast.parts" -}}
{{- if .Values.notifier.enabled -}}
["inventory", "orders", "notifier"]
{{- else -}}
["inventory", "orders"]
{{- end -}}
{{- end -}}

{{/* Settings that are secret, as keys of a service's Secret; only the first three have to be there. */}}
{{- define "holdfast.secretKeys" -}}
{{- if eq .part "notifier" -}}
{{ list "database" "sealing_secrets" "service_key" "pepper" "operator_key" "smtp" | toJson }}
{{- else -}}
{{ list "database" "broker" "service_key" "pepper" "operator_key" | toJson }}
{{- end -}}
{{- end -}}

{{- define "holdfast.neededKeys" -}}
{{- slice (include "holdfast.secretKeys" . | fromJsonArray) 0 3 | toJson -}}
{{- end -}}

{{/* The Secret with a service's addresses: an existing one, or the chart's. Takes root and part. */}}
{{- define "holdfast.secret" -}}
{{- $secret := (get .root.Values .part).secret -}}
{{- if $secret.name -}}
{{ $secret.name }}
{{- else -}}
{{- $keys := include "holdfast.neededKeys" . | fromJsonArray -}}
{{- range $key := $keys -}}
{{- if not (get $secret.values $key) -}}
{{- fail (printf "%s.secret: give the name of a Secret with the keys %s, or values.%s" $.part (join ", " $keys) $key) -}}
{{- end -}}
{{- end -}}
{{ include "holdfast.fullname" .root }}-{{ .part }}
{{- end -}}
{{- end -}}

{{/* Whether the admin port is open, "true" or "". */}}
{{- define "holdfast.admin" -}}
{{- $open := .Values.metrics.enabled -}}
{{- range $part := include "holdfast.parts" . | fromJsonArray -}}
{{- $open = or $open (get $.Values $part).tls.secret -}}
{{- end -}}
{{- if $open -}}
true
{{- end -}}
{{- end -}}

{{/* Ports of the admin port, as a list in JSON: one for each process of a pod. */}}
{{- define "holdfast.adminPorts" -}}
{{- if include "holdfast.admin" .root -}}
{{- $service := get .root.Values .part -}}
{{- $http := ternary (default 0 $service.httpWorkers) 0 .root.Values.http.enabled -}}
{{- $workers := add (default 1 $service.workers) $http -}}
{{- $first := int .root.Values.metrics.port -}}
{{- untilStep $first (int (add $first $workers)) 1 | toJson -}}
{{- else -}}
[]
{{- end -}}
{{- end -}}

{{/* Nothing, if the processes of a pod can listen at all their ports. Takes part and ports. */}}
{{- define "holdfast.distinctPorts" -}}
{{- if ne (len (uniq .ports)) (len .ports) -}}
{{- fail (printf "%s: its pod has one port twice, of %s: see port, http.port and metrics.port; each worker has an admin port, one after the other" .part (join ", " .ports)) -}}
{{- end -}}
{{- end -}}
