#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Documents of Perl's XMLRPC::Lite: perl make.pl FOLDER
use strict;
use warnings;
use XMLRPC::Lite;

my ($folder) = @ARGV;
my $serializer = XMLRPC::Serializer->new;

sub save {
    my ($name, $document) = @_;
    open my $file, '>:raw', "$folder/$name.xml" or die $!;
    print {$file} $document or die $!;
    close $file or die $!;
    return;
}

sub typed {
    my ($type, $value) = @_;
    return XMLRPC::Data->type($type => $value);
}

save('call', $serializer->envelope(method => 'demo.echo', 1, 'x'));
save('response', $serializer->envelope(response => 'x', [
    typed(boolean => 1), typed(boolean => 0), typed(int => -7), typed(i4 => 7), 1.5,
    typed(double => 20), typed(string => '12'), "R&D <x> \"'\n\tend ", '',
    typed(dateTime => '19980717T14:08:55'), typed(base64 => "\x00\x01\xffxx"),
    [1, []], { a => 1 }, undef,
]));
save('fault', $serializer->envelope(fault => 'Client', 'Failed to locate method (x) in class (y)'));
