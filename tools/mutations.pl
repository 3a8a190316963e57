# Lists mechanical mutations of C++ files, one a line, in an order that the seed decides:
#
#   perl tools/mutations.pl SEED file...    "file:line<TAB>what<TAB>line before<TAB>line after"
#
# Each changes one line: an operator swapped, a condition negated, a number off by one, a statement gone.
# What is no decision is left alone: comments, declarations, checks, planted bugs, storage.
use strict;
use warnings;

my $seed = shift @ARGV;

# FNV-1a of a text, 32 bits.
sub hash_of {
  my $h = 2166136261;
  for my $byte (unpack 'C*', shift) { $h = (($h ^ $byte) * 16777619) & 0xffffffff; }
  return $h;
}

my @swaps = (
  [' < ', ' <= '],   [' <= ', ' < '],   [' > ', ' >= '],   [' >= ', ' > '],    [' == ', ' != '],
  [' != ', ' == '],  [' && ', ' || '],  [' || ', ' && '],  [' + ', ' - '],     [' - ', ' + '],
  [' += ', ' -= '],  [' -= ', ' += '],  ['++', '--'],      ['--', '++'],       ['std::min(', 'std::max('],
  ['std::max(', 'std::min('], ['lower_bound', 'upper_bound'], ['true', 'false'], ['false', 'true'],
  [' |= ', ' &= '],  ['any_of', 'all_of'], ['none_of', 'any_of'], ['.front()', '.back()'],
  ['.begin()', '.end()'],
);

my @found;
for my $file (@ARGV) {
  open my $in, '<', $file or die "$file: $!\n";
  while (my $line = <$in>) {
    chomp $line;
    next if $line =~ m{^\s*(//|#|\})|^\S|"};
    next if $line =~ /DUET_CHECK|check_failed|mutated\(|reserve\(|template|static_assert|for \(const auto/;
    my ($code, $comment) = $line =~ m{^(.*?)(\s*//.*)?$};
    $comment //= '';
    my $note = sub {
      my ($what, $after) = @_;
      push @found, [hash_of("$seed $file $. $what $after"), "$file:$.\t$what\t$line\t$after$comment"];
    };
    for my $swap (@swaps) {
      my ($from, $to) = @$swap;
      for (my $at = index $code, $from; $at >= 0; $at = index $code, $from, $at + length $from) {
        next if $from =~ /^\w/ && $at > 0 && substr($code, $at - 1, 1) =~ /\w/;
        my $after = $code;
        substr($after, $at, length $from) = $to;
        (my $what = "$from ->$to") =~ s/^ //;
        $note->($what, $after);
      }
    }
    if ($code =~ /^(\s*(?:\} else )?if )\((.*)\)( \{| return.*;| continue;| break;)$/) {
      my ($head, $condition, $rest) = ($1, $2, $3);
      $note->('negate', "$head(!($condition))$rest") unless $condition =~ /;|\bauto\b|\*\w+ = /;
    }
    while ($code =~ /(?<![\w.:'])(\d+)(?![\w.'])/g) {
      my ($number, $end) = ($1, pos $code);
      my $after = $code;
      substr($after, $end - length $number, length $number) = $number + 1;
      $note->("$number -> " . ($number + 1), $after);
    }
    if ($code =~ /^(\s+)[\w.>\[\]()*-]+(\(.*\)| [+|-]?= [^=].*|\+\+);$/ &&
        $code !~ /^\s+(return|const|auto)/) {
      $note->('delete', "$1;");
    }
  }
}
print "$_->[1]\n" for sort { $a->[0] <=> $b->[0] || $a->[1] cmp $b->[1] } @found;
