# CTest's JUnit report -> "passed|failed|skipped TAB name TAB reason" lines.
# With -v failures=1: the output of the failed tests instead.
# A skip's reason is the line after GoogleTest's "FILE:LINE: Skipped".

function unescape(text) {
  gsub(/&lt;/, "<", text); gsub(/&gt;/, ">", text); gsub(/&quot;/, "\"", text); gsub(/&apos;/, "'", text)
  gsub(/&#xA;/, " ", text); gsub(/&amp;/, "\\&", text)
  return text
}
function attribute(line, key) {
  if (!match(line, " " key "=\"[^\"]*\"")) return ""
  return unescape(substr(line, RSTART + length(key) + 3, RLENGTH - length(key) - 4))
}
function finish() {
  if (failures) {
    if (status == "failed") printf "  --- %s%s\n%s", prefix, name, output
  } else {
    if (status == "passed") reason = ""
    else if (status == "failed") reason = message
    else if (disabled) reason = "disabled in the source"
    else if (reason == "") reason = "no reason given"
    printf "%s\t%s%s\t%s\n", status, prefix, name, reason
  }
  inside = 0
}

BEGIN {
  # GoogleTest's frame around what a test has to say
  noise = "^(Running main|Note: Google|\\[[=-]+\\]|\\[  (PASSED|FAILED)|\\[ RUN|[ \t]*$| 1 FAILED TEST)"
}

/<testcase / {
  inside = 1
  name = attribute($0, "name")
  status = "passed"
  reason = message = output = ""
  disabled = next_is_reason = 0
  state = attribute($0, "status")
  if (state == "fail") status = "failed"
  if (state == "disabled") { status = "skipped"; disabled = 1 }
  if (state == "notrun") status = "skipped"
}
inside && /<failure / { status = "failed"; message = attribute($0, "message") }
inside && /<skipped / {
  message = attribute($0, "message")
  # A test whose program is missing is "not run" too, but that is no skip.
  if (!disabled && message !~ /^SKIP_/) status = "failed"
}
inside {
  line = $0
  sub(/.*<system-out>/, "", line); sub(/<\/system-out>.*/, "", line)
  is_markup = line ~ /^[ \t]*<\/?(testcase|failure|skipped|propert)/
  if (!is_markup && line !~ noise) output = output "    " unescape(line) "\n"
  if (next_is_reason && reason == "") reason = unescape(line)
  next_is_reason = (line ~ /: Skipped$/)
}
inside && /<\/testcase>/ { finish() }
