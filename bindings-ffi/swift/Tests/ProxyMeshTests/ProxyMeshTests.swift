import Testing

/// All tests run one at a time, because some count what the process has open.
@Suite(.serialized) struct ProxyMeshTests {}
