-- Prints what was measured as one line of JSON; latencies in microseconds.
function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '\n{"requests": %d, "micros": %d, "bytes": %d, "p50": %d, "p99": %d, "errors": %d, "statuses": %d}\n',
        summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
        errors.connect + errors.read + errors.write + errors.timeout, errors.status))
end
