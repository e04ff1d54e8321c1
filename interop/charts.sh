# shellcheck shell=bash
# Charts for helm.

# make_chart DIR NAME VERSION: a chart with one template.
make_chart() {
  mkdir -p "$1/templates"
  printf 'apiVersion: v2\nname: %s\ndescription: A chart of the interop suite\nversion: %s\n' "$2" "$3" >"$1/Chart.yaml"
  printf 'greeting: hello\n' >"$1/values.yaml"
  printf 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  greeting: {{ .Values.greeting }}\n' \
    >"$1/templates/greeting.yaml"
}
