# Run by wecom-gateway-errors.service as soon as nginx has something to say of a request: one datagram each, from the
# socket on standard input. Appends what nginx said to the file $ARGV[0] without query strings, which carry login codes,
# and without what follows a semicolon in a path, where sessions stand. Ends when nothing was said for a minute; the
# messages of the time between wait in the socket.
use strict;
use warnings;
use Fcntl;

my ($log) = @ARGV;
# Bytes. A larger file is cut to its last half; Debian's logrotate starts a new one every day.
my $most = 20_000_000;
my $seconds = 60;

# Returns nginx's line made anew from the parts that are known to be harmless, "" where it is none of nginx's.
sub harmless {
    my ($line) = @_;
    $line =~ s{^<\d+>\w+ +\d+ [\d:]+ wecom_gateway: (?=\d+/)}{} or return '';
    my ($said, $of) = split /, client: /, $line, 2;
    # What an upstream or a client said is quoted, and may have quotes in it. nginx cuts what is longer than 2048 bytes.
    my $quoted = defined $of ? qr/(?:.*"|.*)/s : qr/.*/s;
    $said =~ s/"([^"?#:]*)$quoted/"$1"/;
    $of = '' unless defined $of;
    my @parts = ($said);
    push @parts, "client: $1" if $of =~ /^([\w.:]+)/;
    push @parts, "server: $1" if $of =~ /^[\w.:]+, server: ([\w.-]+)/;
    push @parts, qq{request: "$1"} if $of =~ /, request: "([A-Z_-]+ (?:(?!%3[BFbf]|%23)[^\s"?#;])*)/;
    # Further parts only where no space in the request could be the end of something else.
    my $rest = $of =~ /, request: "[A-Z_-]+ \S+ HTTP\/[\d.]+"(.*)/s ? $1 : '';
    push @parts, qq{upstream: "$1"} if $rest =~ m{^(?:, subrequest: "\S*")?, upstream: "(https?://[\w.:\[\]-]+)};
    push @parts, qq{host: "$1"} if $rest =~ /^(?:, (?:subrequest|upstream): "\S*")*, host: "([\w.:\[\]-]+)"/;
    $line = join ', ', @parts;
    $line =~ tr/\x00-\x1f\x7f/ /;
    return "$line\n";
}

sub cut {
    open my $file, '+<', $log or return;
    seek $file, -$most / 2, 2;
    <$file>;
    my $last = do { local $/; <$file> };
    seek $file, 0, 0;
    truncate $file, 0;
    print $file $last;
}

while (1) {
    vec(my $ready = '', fileno(STDIN), 1) = 1;
    exit unless select $ready, undef, undef, $seconds;
    defined recv STDIN, my $message, 65536, 0 or die "standard input: $!\n";
    my $line = harmless($message) or next;
    # Opened anew each time: logrotate may have put another file in its place.
    sysopen my $file, $log, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0640 or die "$log: $!\n";
    defined syswrite $file, $line or die "$log: $!\n";
    cut() if -s $file > $most;
}
