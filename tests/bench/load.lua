-- SPDX-License-Identifier: Apache-2.0
-- For wrk: POSTs the file that the first argument names, as the type that the second one says,
-- and prints what was measured as one line of JSON.

function init(args)
    local file = assert(io.open(args[1], "rb"))
    wrk.method = "POST"
    wrk.body = file:read("*a")
    wrk.headers["Content-Type"] = args[2]
    file:close()
    request_text = wrk.format()
end

function request()
    return request_text
end

function done(summary, latency)
    local e = summary.errors
    io.write(string.format(
        '\n{"calls": %d, "seconds": %.6f, "p50": %.1f, "p99": %.1f, "errors": %d}\n',
        summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
        e.connect + e.read + e.write + e.status + e.timeout))
end
