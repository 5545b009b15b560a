--[[
Send prepared requests, one after the other, over all connections; count answers by status.

wrk … -- REQUESTS [loop|once] [ANSWERS]

REQUESTS  file of complete HTTP requests, each followed by the byte 0x1E
loop      begin again at the end (for what may be asked twice); once: stop there (for what would be a replay)
ANSWERS   file to write answers to: status, space, body, 0x1E

Prints, after wrk's own figures, one line: RESULT {"answered", "seconds", "p50_ms", "p99_ms", "ran_out", "statuses"}.
`seconds` is from the first request to the last answer, which is not wrk's own duration when requests run out.
One thread only (-t1).
]]

local ffi = require('ffi')
ffi.cdef([[
  typedef struct { long seconds; long nanoseconds; } moment;
  int clock_gettime(int clock, moment *now);
]])

local moment = ffi.new('moment')
local function now()
    ffi.C.clock_gettime(1, moment) -- CLOCK_MONOTONIC
    return tonumber(moment.seconds) + tonumber(moment.nanoseconds) / 1e9
end

local worker
function setup(thread)
    worker = thread
end

local requests, loop, answers, index = {}, true, nil, 0
first, last, answered, ran_out = 0, 0, 0, 0
statuses = ''
local counts = {}

function init(args)
    local file = assert(io.open(args[1], 'rb'))
    for one in file:read('*a'):gmatch('([^\30]+)\30') do
        requests[#requests + 1] = one
    end
    file:close()
    loop = args[2] ~= 'once'
    answers = args[3] and assert(io.open(args[3], 'wb'))
end

function request()
    if first == 0 then
        first = now()
    end
    if index == #requests then
        if loop then
            index = 0
        else
            ran_out = 1
            wrk.thread:stop()
            return requests[index]
        end
    end
    index = index + 1
    return requests[index]
end

function response(status, _, body)
    last = now()
    answered = answered + 1
    counts[status] = (counts[status] or 0) + 1
    local parts = {}
    for code, count in pairs(counts) do
        parts[#parts + 1] = string.format('"%d":%d', code, count)
    end
    statuses = table.concat(parts, ',')
    if answers then
        answers:write(status, ' ', body, '\30')
        answers:flush()
    end
end

function done(_, latency)
    io.write(string.format(
        'RESULT {"answered":%d,"seconds":%.6f,"p50_ms":%.3f,"p99_ms":%.3f,"ran_out":%d,"statuses":{%s}}\n',
        worker:get('answered'), worker:get('last') - worker:get('first'),
        latency:percentile(50) / 1000, latency:percentile(99) / 1000, worker:get('ran_out'), worker:get('statuses')
    ))
end
