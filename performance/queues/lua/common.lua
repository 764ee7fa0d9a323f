-- Shared by all scripts; RQ's own keys and formats, ours under <prefix>:own:.
local P = '@PREFIX@'

local function job_key(id) return P .. ':job:' .. id end
local function queue_key(name) return P .. ':queue:' .. name end
local function wip_key(name) return P .. ':wip:' .. name end
local function failed_key(name) return P .. ':failed:' .. name end
local function own(...) return P .. ':own:' .. table.concat({...}, ':') end

-- Unix seconds with microseconds, by the server's clock: leases of all workers use this one.
local function server_time()
  local t = redis.call('TIME')
  return tonumber(t[1]) + tonumber(t[2]) / 1000000
end

-- A negative ttl keeps the key for ever.
local function keep_for(key, ttl)
  if ttl < 0 then redis.call('PERSIST', key) else redis.call('EXPIRE', key, ttl) end
end

-- Ends a job that is not running as failed, without a traceback.
local function end_waiting(id, status, registry, error_class, message, iso_now, unix_now)
  local key = job_key(id)
  local origin = redis.call('HGET', key, 'origin')
  if not origin then return end
  local ttl = tonumber(redis.call('HGET', key, 'failure_ttl') or '') or 2592000
  if ttl == 0 then
    redis.call('DEL', key, P .. ':results:' .. id)
    return
  end
  redis.call('HSET', key, 'status', status, 'ended_at', iso_now)
  redis.call('ZADD', P .. ':' .. registry .. ':' .. origin, ttl < 0 and '+inf' or unix_now + ttl, id)
  redis.call('XADD', P .. ':results:' .. id, 'MAXLEN', 10, '*', 'type', '2', 'worker_name', '',
    'error_class', error_class, 'error_message', message)
  keep_for(P .. ':results:' .. id, ttl)
  keep_for(key, ttl)
end

-- A job whose record cannot be worked with ends as failed, so that it holds up no other.
local function end_damaged(id, level, iso_now, unix_now)
  local ended = pcall(end_waiting, id, 'failed', 'failed', 'performance.queues.exceptions.DamagedJob',
    'Its record in Redis is damaged.', iso_now, unix_now)
  if not ended then redis.pcall('ZADD', failed_key(level), unix_now + 2592000, id) end
end

-- Takes a waiting job out of whatever holds it; true if it was waiting.
local function withdraw(id)
  local key = job_key(id)
  local fields = redis.call('HMGET', key, 'status', 'origin', 'limit_key')
  local status, origin, limit = fields[1], fields[2], fields[3]
  if status == 'queued' then
    if redis.call('LREM', queue_key(origin), 1, id) > 0 then return true end
    redis.call('ZREM', own('blocked_at', origin), id)
    return limit and redis.call('LREM', own('blocked', limit), 1, id) > 0
  elseif status == 'scheduled' then
    return redis.call('ZREM', P .. ':scheduled:' .. origin, id) > 0
  elseif status == 'deferred' then
    return redis.call('ZREM', P .. ':deferred:' .. origin, id) > 0
  end
  return false
end

-- Tells the worker of a running job to stop it; should the message be lost, its next beat finds the mark.
local function request_stop(id, worker)
  redis.call('HSET', job_key(id), 'stop_requested', '1')
  redis.call('PUBLISH', P .. ':pubsub:' .. (worker or ''), cjson.encode({command = 'stop-job', job_id = id}))
end
