-- Renews the leases of a worker's executions and its own life sign.
-- ARGV[1]: msgpack {worker, lease, iso_now, unix_now, ttl, fields, runs = {{level, id, execution, register}}}.
-- Answers {known, stops, lost...}: whether RQ still knows the worker, the ids of jobs that are to stop
-- (the message that said so may be lost), and the executions whose lease is gone.
local c = cmsgpack.unpack(ARGV[1])
local worker_key = P .. ':worker:' .. c.worker
local known = redis.call('HEXISTS', worker_key, 'birth')
redis.call('HSET', worker_key, 'last_heartbeat', c.iso_now, unpack(c.fields))
redis.call('EXPIRE', worker_key, c.ttl)
local expiry = server_time() + c.lease + MARGIN
local stops = {}
local answer = {known, stops}

-- RQ's own record of an execution, for those that last: its tools list and stop them by it.
local function record(id, execution)
  local entry = member(id, execution)
  local key = P .. ':execution:' .. entry
  redis.call('HSET', key, 'id', execution, 'job_id', id, 'worker_name', c.worker,
    'last_heartbeat', c.unix_now)
  redis.call('HSETNX', key, 'created_at', c.unix_now)
  redis.call('EXPIRE', key, c.ttl)
  redis.call('ZADD', P .. ':executions:' .. id, c.unix_now + c.ttl, execution)
  redis.call('EXPIRE', P .. ':executions:' .. id, c.ttl + 60)
  redis.call('SADD', worker_key .. ':executions', entry)
end

for _, run in ipairs(c.runs) do
  local level, id, execution = run[1], run[2], run[3]
  if redis.call('ZSCORE', wip_key(level), member(id, execution)) then
    redis.call('ZADD', wip_key(level), expiry, member(id, execution))
    if run[4] then record(id, execution) end
    if redis.pcall('HGET', job_key(id), 'stop_requested') == '1' then stops[#stops + 1] = id end
  else
    answer[#answer + 1] = execution
  end
end
redis.call('EXPIRE', worker_key .. ':executions', c.ttl)
return answer
