#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Documents of Perl's Frontier::RPC2: perl make.pl FOLDER
use strict;
use warnings;
use Frontier::RPC2;

my ($folder) = @ARGV;
my $rpc = Frontier::RPC2->new(encoding => 'ISO-8859-1');
my $bare = Frontier::RPC2->new();

sub save {
    my ($name, $document) = @_;
    open my $file, '>:raw', "$folder/$name.xml" or die $!;
    print {$file} $document or die $!;
    close $file or die $!;
    return;
}

save('call', $bare->encode_call('demo.echo', 1, 'x', [], {}));
save('no-params', $bare->encode_call('demo.now'));
save('response', $bare->encode_response([
    $bare->boolean(1), $bare->boolean(0), $bare->int(-7), -7, '007', 2147483648, 1.5, 1e30,
    $bare->double(20), $bare->string('12'), "R&D <x> \"'\n\tend ", '',
    $bare->date_time('19980717T14:08:55'), $bare->base64("AAH/eHg=\n"), [1, []], { a => { } },
]));
save('latin1', $rpc->encode_response("gr\xf6\xdfer"));
save('fault', $bare->encode_fault(4, 'Too many parameters <&>.'));
