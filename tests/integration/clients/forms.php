<?php
// SPDX-License-Identifier: Apache-2.0
// Calls as PHP writes them: php forms.php http://HOST:PORT
$base = $argv[1];

function call(array $http, int $status, string $want, string $host = ''): void
{
    global $base;
    $context = stream_context_create(['http' => $http + ['method' => 'POST', 'ignore_errors' => true]]);
    $text = file_get_contents(($host ?: $base) . '/v1/up/m', false, $context);
    if (!str_contains($http_response_header[0], " $status ") || !str_contains($text, $want)) {
        fwrite(STDERR, json_encode([$http, $http_response_header, $text], JSON_PRETTY_PRINT) . "\n");
        exit(1);
    }
}

$proxy = ['proxy' => str_replace('http://', 'tcp://', $base), 'request_fulluri' => true];
foreach ([[], $proxy, ['protocol_version' => '1.0']] as $way) {
    $json = ['header' => 'Content-Type: application/json; charset=utf8'];
    call($way + $json + ['content' => '["ä"]'], 200, '"ä"');
    call($way + $json + ['content' => "\u{feff}[7]"], 200, '7');
    call($way, 200, '""');
    call($way + ['content' => '[1]'], 415, 'unsupported-media-type');
}
call($proxy, 421, 'misdirected', 'http://evil.example');
echo "all is well\n";
