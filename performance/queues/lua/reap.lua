-- Hands on what dead workers held. ARGV[1]: msgpack {levels, iso_now, unix_now, most}.
-- Answers {'missing', id} or {'requeued' | 'parked', worker, started_at, row of lua/claim.lua...} per job.
local c = cmsgpack.unpack(ARGV[1])
local now = server_time()
local answer = {}

local function note_loss(id, worker, message)
  redis.call('XADD', P .. ':results:' .. id, 'MAXLEN', 10, '*', 'type', '4', 'worker_name', worker,
    'error_class', 'performance.queues.exceptions.WorkerLost', 'error_message', message)
  redis.call('EXPIRE', P .. ':results:' .. id, 2592000)
end

local function told(action, level, id, execution, worker, deliveries)
  local f = redis.call('HMGET', job_key(id), 'started_at', 'attempts', 'data', 'meta', 'timeout', 'enqueued_at',
    'first_started_at', 'failures')
  answer[#answer + 1] = {action, worker, f[1] or '', id, level, execution, f[2] or '1', f[3] or '', f[4] or '',
    f[5] or '', f[6] or '', '', string.format('%d', deliveries - 1), '', '', '', '', f[7] or '', '', f[8] or ''}
end

local function hand_on(level, id, execution)
  local key = job_key(id)
  local f = redis.call('HMGET', key, 'status', 'limit_key', 'worker_name', 'data')
  local worker = string.match(execution, '^(.*)%.%d+$')
  if not f[4] then
    answer[#answer + 1] = {'missing', id}
    return
  end
  if worker then
    if f[2] then release(f[2], level, id, execution) end
    forget_execution(id, execution, worker)
  end
  if f[1] ~= 'started' and f[1] ~= 'queued' then return end
  if f[1] == 'queued' and redis.call('LPOS', queue_key(level), id) then return end
  worker = worker or f[3] or ''
  local deliveries = redis.call('HINCRBY', key, 'deliveries', 1)
  if deliveries >= c.most then
    told('parked', level, id, execution, worker, deliveries)
    end_waiting(id, 'failed', 'failed', 'performance.queues.exceptions.TaskParked',
      'Its worker died ' .. deliveries .. ' times while it ran; it is not tried again.', c.iso_now, c.unix_now)
    return
  end
  note_loss(id, worker, 'The worker that ran it died or fell silent.')
  put_back(id, level)
  told('requeued', level, id, execution, worker, deliveries)
end

for _, level in ipairs(c.levels) do
  local entries = redis.call('ZRANGEBYSCORE', wip_key(level), '-inf', now + MARGIN,
    'WITHSCORES', 'LIMIT', 0, 1000)
  for i = 1, #entries, 2 do
    local id, execution = string.match(entries[i], '^(.*):([^:]*)$')
    local ours = execution and string.find(execution, '.', 1, true)
    if ours or tonumber(entries[i + 1]) < now then
      redis.call('ZREM', wip_key(level), entries[i])
      if id and not pcall(hand_on, level, id, execution) then
        end_damaged(id, level, c.iso_now, c.unix_now)
      end
    end
  end
end

-- A blocked job is let go by the end of another one; should that be lost, it is found here.
for _, limit in ipairs(redis.call('SMEMBERS', own('blocked_keys'))) do
  local head = redis.call('LINDEX', own('blocked', limit), 0)
  local most = head and tonumber(redis.call('HGET', job_key(head), 'limit_concurrency') or '1')
  if not head or redis.call('SCARD', own('running', limit)) < most then
    promote(limit)
  elseif head then
    for _, entry in ipairs(redis.call('SMEMBERS', own('running', limit))) do
      local level, lease = string.match(entry, '^(.-)|(.*)$')
      if not redis.call('ZSCORE', wip_key(level), lease) then
        redis.call('SREM', own('running', limit), entry)
        promote(limit)
      end
    end
  end
end
return answer
