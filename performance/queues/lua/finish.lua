-- Ends executions, many in one call. An execution whose lease is gone is fenced: it changes nothing.
-- ARGV[1]: msgpack {worker, iso_now, unix_now, ops = {op...}}.
-- Answers per op 1 done, 0 fenced, 2 done and RQ has follow-ups (dependents and the like).
local b = cmsgpack.unpack(ARGV[1])
local done, good, bad, worked = {}, 0, 0, 0

local function add_result(op, kind)
  local key = P .. ':results:' .. op.id
  local f = {'type', kind, 'worker_name', b.worker, 'execution_id', op.execution,
    'execution_started_at', op.started, 'execution_ended_at', op.ended}
  for _, name in ipairs({'return_value', 'exc_string', 'error_class', 'error_message'}) do
    if op[name] then
      f[#f + 1] = name
      f[#f + 1] = op[name]
    end
  end
  redis.call('XADD', key, 'MAXLEN', 10, '*', unpack(f))
  return key
end

local function succeed(op)
  local key = job_key(op.id)
  if op.ttl == 0 then
    redis.call('DEL', key, P .. ':results:' .. op.id)
    return
  end
  redis.call('HSET', key, 'status', 'finished', 'ended_at', op.ended_at, 'finished_by', op.execution)
  keep_for(add_result(op, '1'), op.ttl)
  keep_for(key, op.ttl)
  redis.call('ZADD', P .. ':finished:' .. op.level, op.ttl < 0 and '+inf' or b.unix_now + op.ttl, op.id)
end

local function fail(op)
  local key = job_key(op.id)
  if op.ttl == 0 then
    redis.call('DEL', key, P .. ':results:' .. op.id)
    return
  end
  redis.call('HSET', key, 'status', op.kind == 'stop' and 'stopped' or 'failed', 'ended_at', op.ended_at,
    'exc_info', op.exc_info or '', 'finished_by', op.execution)
  keep_for(add_result(op, '2'), op.ttl)
  keep_for(key, op.ttl)
  redis.call('ZADD', failed_key(op.level), op.ttl < 0 and '+inf' or b.unix_now + op.ttl, op.id)
end

local function retry(op)
  local key = job_key(op.id)
  redis.call('HSET', key, 'ended_at', op.ended_at, 'finished_by', op.execution, 'status', 'scheduled')
  redis.call('HINCRBY', key, 'failures', 1)
  keep_for(add_result(op, '4'), 2592000)
  redis.call('ZADD', P .. ':scheduled:' .. op.level, op.at, op.id)
end

local function count(op)
  worked = worked + (tonumber(op.ended) - tonumber(op.started))
  if op.kind == 'ok' then good = good + 1 else bad = bad + 1 end
  done[op.level] = (done[op.level] or 0) + 1
end

local function finish(op, held)
  if not held then
    return redis.call('HGET', job_key(op.id), 'finished_by') == op.execution and 1 or 0
  end
  release(op.limit, op.level, op.id, op.execution)
  if op.registered then forget_execution(op.id, op.execution, b.worker) end
  if redis.call('EXISTS', job_key(op.id)) == 0 then return 1 end
  if op.kind == 'back' then
    put_back(op.id, op.level)
    return 1
  end
  count(op)
  if op.kind == 'ok' then succeed(op)
  elseif op.kind == 'retry' then retry(op)
  else fail(op) end
  if op.kind ~= 'retry' and (op.follow_up or redis.call('EXISTS', job_key(op.id) .. ':dependents') == 1) then
    return 2
  end
  return 1
end

local answers = {}
for i, op in ipairs(b.ops) do
  -- Unguarded: a server that takes no writes (a replica, a full disk) refuses this one, and then all
  -- of the call, which is sent again. After a first write it refuses none of the same script.
  local held = redis.call('ZREM', wip_key(op.level), member(op.id, op.execution)) == 1
  local sound, answer = pcall(finish, op, held)
  if not sound then end_damaged(op.id, op.level, b.iso_now, b.unix_now) end
  answers[i] = sound and answer or 1
end
local worker_key = P .. ':worker:' .. b.worker
if good > 0 then redis.call('HINCRBY', worker_key, 'successful_job_count', good) end
if bad > 0 then redis.call('HINCRBY', worker_key, 'failed_job_count', bad) end
if good + bad > 0 then
  redis.call('HINCRBYFLOAT', worker_key, 'total_working_time', string.format('%.6f', worked))
end
for level, n in pairs(done) do
  local key = own('done', level, string.format('%d', math.floor(b.unix_now / 60)))
  redis.call('INCRBY', key, n)
  redis.call('EXPIRE', key, 300)
end
return answers
