internal import ProxyMeshInternal

/// Calls that throw the errors of this module.
extension Native {
    /// What runs the functions that belong to no client.
    static var library: Native {
        get throws(ProxyMeshError) { try ProxyMeshError.rethrowing { try Native.functions } }
    }

    /// Makes a call on this thread.
    func wait<Response>(_ call: Call<Response>) throws(ProxyMeshError) -> Response {
        try ProxyMeshError.rethrowing { try invokeBlocking(call) }
    }

    /// Makes a call that does not wait for the network.
    func now<Response>(_ call: Call<Response>) throws(ProxyMeshError) -> Response {
        try ProxyMeshError.rethrowing { try invoke(call) }
    }

    /// Makes a call that creates a client with other options.
    func client(_ call: Call<Int64>) throws(ProxyMeshError) -> Native {
        try ProxyMeshError.rethrowing { try createClient(call) }
    }

    /// Makes a call that creates a pool, a lease or a follower.
    func new(_ call: Call<Int64>) throws(ProxyMeshError) -> Native {
        try ProxyMeshError.rethrowing { try createObject(call) }
    }

    /// Makes a call without blocking a thread. It ends when its task is cancelled.
    func later<Response>(_ call: Call<Response>) async throws -> Response {
        do {
            return try await invokeAsync(call)
        } catch Failure.aborted {
            throw CancellationError()
        } catch {
            throw ProxyMeshError(error)
        }
    }

    /// Makes a call that continues if its task is cancelled, and waits for its end.
    func finish(_ call: Call<Void>) async throws {
        // This inherits the task-local values, but not the cancellation.
        try await Task { try await self.later(call) }.value
    }
}
