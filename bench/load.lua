-- The load: POST with one row. Arguments after `--`: seed, share of requests from the hot set (0..1),
-- seconds of load, connections. After these seconds each connection stops sending, so that every request is answered
-- and the count of answers is exact. When all have stopped this prints SILENT, and wrk can be interrupted.
local ffi = require("ffi")
ffi.cdef [[
typedef struct { long seconds; long nanoseconds; } ml_timespec;
int clock_gettime(int clock, ml_timespec *time);
]]

local HOT_KEYS, HOT_DRAWS, SILENCE = 1000, 65536, 3600000
-- bench/load.py sets these two for rows of several columns, and for other servers.
local PATH = os.getenv("BENCH_PATH") or "/predict"
local BODY = os.getenv("BENCH_BODY") or '{"features": [%.12f]}'
local HEAD = "POST " .. PATH .. " HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"

local time = ffi.new("ml_timespec")
local function now()
   ffi.C.clock_gettime(1, time)
   return tonumber(time.seconds) + tonumber(time.nanoseconds) * 1e-9
end

local function request_for(x)
   local body = string.format(BODY, x)
   return string.format(HEAD, #body, body)
end

local function zipf_draws() -- the hot set by popularity: the k-th body is drawn with a chance of 1/k
   local total, bodies, draws = 0, {}, {}
   for k = 1, HOT_KEYS do
      total = total + 1 / k
      bodies[k] = request_for(10 + k / 128)
   end
   local k, sum = 1, 1 / total
   for i = 1, HOT_DRAWS do
      while k < HOT_KEYS and i / HOT_DRAWS > sum do
         k = k + 1
         sum = sum + 1 / k / total
      end
      draws[i] = bodies[k]
   end
   return draws
end

function setup(thread)
   worker = thread
end

function init(arguments)
   math.randomseed(tonumber(arguments[1]))
   hot_share = tonumber(arguments[2])
   load_seconds = tonumber(arguments[3])
   hot = zipf_draws()
   connections = tonumber(arguments[4])
   sent, first, last, silent = 0, 0, 0, 0
end

function delay()
   last = now()
   if last - first < load_seconds then return 0 end
   silent = silent + 1
   if silent == connections then
      print("SILENT")
      io.flush()
   end
   return SILENCE
end

function request()
   if sent == 0 then first = now() end
   sent = sent + 1
   if math.random() < hot_share then return hot[math.random(HOT_DRAWS)] end
   return request_for(10 + 10 * math.random())
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      'RESULT {"answered": %d, "refused": %d, "broken": %d, "unanswered": %d, "seconds": %.6f, "p50": %.6f, "p99": %.6f}\n',
      summary.requests, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
      worker:get("connections") - worker:get("silent"), worker:get("last") - worker:get("first"),
      latency:percentile(50) * 1e-6, latency:percentile(99) * 1e-6))
end
