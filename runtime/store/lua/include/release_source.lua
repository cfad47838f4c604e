-- release_source(version, ttl_ms): let a source expire unless another function serves this version.
-- Functions of one file share a version and therefore a source.
local function release_source(version, ttl_ms)
  for _, serving in ipairs(redis.call('HVALS', key_versions())) do
    if serving == version then
      return
    end
  end
  redis.call('PEXPIRE', key_source(version), ttl_ms)
end
