# A job log in the Standard Workload Format, the same wherever it is made (an own generator, no rand()):
#   awk -v jobs=200000 -v cores=2000 -v widest=64 -f bench/log.awk > big.swf
# Widths are powers of two up to `widest`, run times exponential about an hour, the load of `cores` is 0.8.
function unit() {
  seed = (seed * 1103515245 + 12345) % 2147483648
  return (seed + 0.5) / 2147483648
}
BEGIN {
  seed = 12345
  for (kinds = 1; 2 ^ kinds <= widest; ++kinds) {}
  gap = 3600 * (2 ^ kinds - 1) / kinds / (0.8 * cores)
  for (job = 1; job <= jobs; ++job) {
    at -= gap * log(unit())
    ran = 1 + int(-3600 * log(unit()))
    width = 2 ^ int(kinds * unit())
    printf "%d %d -1 %d %d -1 -1 ", job, at, ran, width
    printf "%d %d -1 1 1 1 1 1 -1 -1 -1\n", width, 1.5 * ran + 60
  }
}
