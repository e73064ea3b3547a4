import ProxyMesh
import Testing

/// The error of a call that must fail. `nil` if the call succeeds or throws an error that is not ours.
func failure<Given>(_ call: () async throws -> Given) async -> ProxyMeshError? {
    do {
        _ = try await call()
        return nil
    } catch {
        return error as? ProxyMeshError
    }
}

/// The same for a call that is not async.
func failureNow<Given>(_ call: () throws -> Given) -> ProxyMeshError? {
    do {
        _ = try call()
        return nil
    } catch {
        return error as? ProxyMeshError
    }
}
