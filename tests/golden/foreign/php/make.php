<?php
# SPDX-License-Identifier: Apache-2.0
# Documents of PHP's xmlrpc extension (xmlrpc-epi): php make.php FOLDER
function typed($value, $type) { xmlrpc_set_type($value, $type); return $value; }
$types = [
    "boolean" => true,
    "int" => -7,
    "large" => 1099511627776,
    "double" => 1.5,
    "twenty" => 20.0,
    "small" => 1e-300,
    "string" => "R&D <größer> \"'\r\n\tend ",
    "empty" => "",
    "date" => typed("19980717T14:08:55", "datetime"),
    "bytes" => typed("\x00\x01\xff" . str_repeat("x", 60), "base64"),
    "array" => [1, [], "two"],
    "struct" => ["a" => 1, "b" => ["c" => false]],
    "nil" => null,
];
$utf8 = ["encoding" => "utf-8", "escaping" => "markup", "version" => "xmlrpc"];
$documents = [
    "call" => xmlrpc_encode_request("demo.echo", [1, "é"], $utf8),
    "call-plain" => xmlrpc_encode_request("demo.echo", [1, "abc"]),
    "no-params" => xmlrpc_encode_request("demo.now", [], $utf8),
    "response" => xmlrpc_encode_request(null, $types, $utf8),
    "response-default" => xmlrpc_encode_request(null, "größer <&>"),
    "response-terse" => xmlrpc_encode_request(null, [1, "a"], $utf8 + ["verbosity" => "no_white_space"]),
    "fault" => xmlrpc_encode_request(null, ["faultCode" => -32601, "faultString" => "server error. <x> é"], $utf8),
];
foreach ($documents as $name => $document) {
    file_put_contents("$argv[1]/$name.xml", $document);
}
