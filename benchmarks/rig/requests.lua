-- Plays whole requests from a file to wrk: each is four bytes of length, big-endian, and its bytes.
-- `wrk ... -s requests.lua URL -- FILE`. The last line printed is one JSON object.

local threads = 0

function setup(thread)
  thread:set("place", threads)
  threads = threads + 1
end

function init(args)
  requests = {}
  local file = assert(io.open(args[1], "rb"))
  while true do
    local head = file:read(4)
    if head == nil then break end
    local a, b, c, d = head:byte(1, 4)
    requests[#requests + 1] = file:read(((a * 256 + b) * 256 + c) * 256 + d)
  end
  file:close()
  next_one = place * 7919
end

function request()
  next_one = next_one + 1
  return requests[next_one % #requests + 1]
end

function done(summary, latency, _)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.timeout
  print(string.format(
    '{"seconds": %f, "answered": %d, "not_kept": %d, "p50_ms": %f, "p99_ms": %f}',
    summary.duration / 1e6, summary.requests, errors.status + failed,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
