import Testing

/// All tests, one at a time: some count what the process has open.
@Suite(.serialized) struct ProxyMeshTests {}
