import ProxyMesh
import Testing

/// The error of a call that must fail; nothing if it does not, or not with one of ours.
func failure<Given>(_ call: () async throws -> Given) async -> ProxyMeshError? {
    do {
        _ = try await call()
        return nil
    } catch {
        return error as? ProxyMeshError
    }
}

/// The same for what does not wait.
func failureNow<Given>(_ call: () throws -> Given) -> ProxyMeshError? {
    do {
        _ = try call()
        return nil
    } catch {
        return error as? ProxyMeshError
    }
}
