#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Documents of Perl's RPC::XML: perl make.pl FOLDER
use strict;
use warnings;
use utf8;
use Encode qw(encode_utf8);
use RPC::XML;

my ($folder) = @ARGV;
$RPC::XML::ALLOW_NIL = 1;

sub save {
    my ($name, $document) = @_;
    open my $file, '>:raw', "$folder/$name.xml" or die $!;
    print {$file} $document->as_string or die $!;
    close $file or die $!;
    return;
}

my @types = (
    boolean => RPC::XML::boolean->new('true'),
    int => RPC::XML::int->new(-7),
    i4 => RPC::XML::i4->new(7),
    i8 => RPC::XML::i8->new('9007199254740993'),
    double => RPC::XML::double->new(0.1),
    twenty => RPC::XML::double->new(20),
    large => RPC::XML::double->new(1e300),
    string => RPC::XML::string->new("R&D <x> \"'\r\n\tend "),
    empty => RPC::XML::string->new(''),
    date => RPC::XML::datetime_iso8601->new('19980717T14:08:55'),
    zoned => RPC::XML::datetime_iso8601->new('20240229T12:34:56Z'),
    bytes => RPC::XML::base64->new("\x00\x01\xff" . 'x' x 60),
    array => RPC::XML::array->new(1, RPC::XML::array->new(), 'two'),
    struct => RPC::XML::struct->new(a => RPC::XML::struct->new()),
    nil => RPC::XML::nil->new(),
);
# Perl's hashes have no order: one member for each struct.
my @members;
while (my ($name, $value) = splice @types, 0, 2) {
    push @members, RPC::XML::struct->new($name => $value);
}
save('call', RPC::XML::request->new('demo.echo', RPC::XML::int->new(1), RPC::XML::string->new('x')));
save('no-params', RPC::XML::request->new('demo.now'));
save('response', RPC::XML::response->new(RPC::XML::array->new(@members)));
save('guessed', RPC::XML::response->new(RPC::XML::array->new(1, 2147483648, 1.5, 'x', '007', '')));
save('wide', RPC::XML::response->new(RPC::XML::string->new(encode_utf8('größer €'))));
save('fault', RPC::XML::response->new(RPC::XML::fault->new(-32601, 'no such <method>')));
