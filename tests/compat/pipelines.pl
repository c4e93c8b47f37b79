#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# pipelines.pl MIB: pipes as perl makes them. Adds a line a test to $RESULTS.

use strict;
use warnings;
use Digest::SHA;
use Errno qw(EAGAIN EPIPE);
use Fcntl;
use IO::Handle;
use IO::Poll qw(POLLIN POLLOUT POLLHUP POLLERR);
use IO::Select;
use IPC::Open2;
use IPC::Open3;
use POSIX ();

my $mib = shift;
open my $results, '>>', $ENV{RESULTS} or die "$ENV{RESULTS}: $!\n";
$results->autoflush(1);

sub check {
	my ($name, $wanted, $got) = @_;

	$got = 'nothing' unless defined $got;
	$got =~ s/\s+/ /g;
	printf $results "%s\t%s\n", $name,
		$wanted eq $got ? 'ok' : 'FAIL: ' . substr $got, 0, 300;
}

sub sum_of {
	my $file = shift;
	my $sha = Digest::SHA->new(256);

	$sha->addfile($file);
	return $sha->hexdigest;
}

chomp(my $sum = `stream 7 $mib | sha256sum`);
$sum =~ s/ .*//;

open my $in, '-|', 'stream', '7', $mib or die "stream: $!\n";
check 'open to read from a command', $sum, sum_of($in);
check 'and its status', 0, close($in) ? $? : "$? $!";

open my $out, '|-', 'sha256sum >sum' or die "sha256sum: $!\n";
open $in, '-|', 'stream', '7', $mib or die "stream: $!\n";
while (sysread $in, my $bytes, 100_000) {
	print $out $bytes;
}
close $in;
close $out;
open $in, '<', 'sum' or die "sum: $!\n";
check 'open to write to a command', "$sum -", do { chomp(my $line = <$in>); $line };

# A child of ours at the other end of a pipe of ours.
pipe my $reader, my $writer or die "pipe: $!\n";
my $pid = fork;
if (!$pid) {
	close $reader;
	open STDOUT, '>&', $writer;
	close $writer;
	exec 'stream', '7', $mib;
}
close $writer;
check 'pipe, fork and exec', $sum, sum_of($reader);
waitpid $pid, 0;
check 'and its status', 0, $?;

# Sizes that do not fit each other.
pipe $reader, $writer or die "pipe: $!\n";
$pid = fork;
if (!$pid) {
	close $reader;
	open my $from, '-|', 'stream', '7', $mib or die "stream: $!\n";
	while (read $from, my $bytes, 12_345) {
		my $at = 0;
		$at += syswrite $writer, $bytes, 7_777, $at while $at < length $bytes;
	}
	POSIX::_exit(0);
}
close $writer;
my $sha = Digest::SHA->new(256);
while (my $n = sysread $reader, my $bytes, 4_099) {
	$sha->add($bytes);
}
check 'sysread and syswrite of odd sizes', $sum, $sha->hexdigest;
waitpid $pid, 0;

$pid = open2(my $from, my $to, 'tr', 'a-z', 'A-Z');
print $to "hello\n" x 1000;
close $to;
check 'open2', 1000, scalar grep { $_ eq "HELLO\n" } <$from>;
waitpid $pid, 0;

$pid = open3($to, $from, my $err = IO::Handle->new, 'sh', '-c',
	'i=0; while [ $i -lt 500 ]; do echo out; echo err >&2; i=$((i + 1)); done; exit 7');
close $to;
my %lines = (out => 0, err => 0);
my $select = IO::Select->new($from, $err);
my $text = '';
while ($select->count) {
	for my $file ($select->can_read) {
		my $n = sysread $file, my $bytes, 1000;
		$text .= $bytes if $n;
		$select->remove($file) if !$n;
	}
}
$lines{$_}++ for $text =~ /(out|err)/g;
waitpid $pid, 0;
check 'open3 and select', '500 500 7', "$lines{out} $lines{err} " . ($? >> 8);

# No reader.
pipe $reader, $writer or die "pipe: $!\n";
close $reader;
{
	my $signals = 0;
	local $SIG{PIPE} = sub { $signals++ };
	my $n = syswrite $writer, 'x';
	check 'a write without a reader', '1 ' . EPIPE,
		defined $n ? 'written' : "$signals " . ($! + 0);
}
$pid = fork;
if (!$pid) {
	syswrite $writer, 'x';
	POSIX::_exit(0);
}
waitpid $pid, 0;
check 'and a child that dies of it', POSIX::SIGPIPE(), $? & 127;

# Nonblocking: how much it holds, in pages and in single bytes.
for my $size (1, 100, 4096, 5000, 65_536) {
	pipe $reader, $writer or die "pipe: $!\n";
	$writer->blocking(0);
	$reader->blocking(0);
	my $all = 0;
	while (defined(my $n = syswrite $writer, 'x' x $size)) {
		$all += $n;
	}
	my $full = $! == EAGAIN ? 'full' : $!;
	my $count = pack 'i', 0;
	ioctl $reader, 0x541b, $count;
	my $back = 0;
	while (my $n = sysread $reader, my $bytes, 3000) {
		$back += $n;
	}
	my $empty = $! == EAGAIN ? 'empty' : $!;
	# What is right, pipe(2) says.
	printf $results "writes of %d\tok: %s %d %d %d %s\n", $size, $full, $all,
		unpack('i', $count), $back, $empty;
}

# poll, in each state.
sub polled {
	my ($file) = @_;
	my $poll = IO::Poll->new;

	$poll->mask($file => POLLIN | POLLOUT);
	$poll->poll(0);
	my $events = $poll->events($file);
	return join '+', map { $_->[0] } grep { $events & $_->[1] }
		['in', POLLIN], ['out', POLLOUT], ['hup', POLLHUP], ['err', POLLERR];
}
pipe $reader, $writer or die "pipe: $!\n";
check 'poll of an empty pipe', ' out', polled($reader) . ' ' . polled($writer);
syswrite $writer, 'x';
check 'poll of one byte', 'in out', polled($reader) . ' ' . polled($writer);
$writer->blocking(0);
1 while defined syswrite $writer, 'x' x 4096;
check 'poll of a full pipe', 'in ', polled($reader) . ' ' . polled($writer);
close $writer;
check 'poll of the rest', 'in+hup', polled($reader);
1 while sysread $reader, my $bytes, 65_536;
check 'poll of the end', 'hup', polled($reader);
pipe $reader, $writer or die "pipe: $!\n";
close $reader;
check 'poll without a reader', 'out+err', polled($writer);

# A signal while a read waits.
pipe $reader, $writer or die "pipe: $!\n";
{
	my $came = 0;
	local $SIG{ALRM} = sub { $came++; syswrite $writer, 'late' };
	alarm 1;
	my $n = sysread $reader, my $bytes, 10;
	# Perl's handlers run late: it comes again once the read is over.
	$n = sysread $reader, $bytes, 10 if !defined $n;
	check 'a signal during a read', '1 4 late', "$came $n $bytes";
}

check 'a name that stat gives', 'pipe', -p $reader ? 'pipe' : 'another';
check 'no position', 0 + POSIX::ESPIPE(), sysseek($reader, 0, 0) ? 'sought' : $! + 0;
check 'backticks', "a b", join ' ', map { chomp; $_ } `echo a; echo b`;
check 'a pipeline in backticks', 1000, do { chomp(my $n = `seq 1000 | cat | wc -l`); $n };
