import Foundation
internal import ProxyMeshInternal

extension Client.IPs {
    /// Authorises an IP while `body` runs, and then removes it again.
    ///
    /// ```swift
    /// try await client.ips.withAuthorizedIP { ip in
    ///     print(ip, "may use the proxies without credentials")
    /// }
    /// ```
    ///
    /// The IP is added if it is not authorised yet. It is removed at the end, even if `body` throws an error or its task is
    /// cancelled. If several calls of the same user on the same machine need the IP, the last one removes it, whichever process
    /// it is in, and even if they use different credentials for the account. If a killed process leaves an IP behind, the next
    /// call of the account takes it over. If this machine has a different address by then, the next call with the same
    /// credentials removes the old one. If the IP's label has changed, the IP belongs to someone else and stays. An IP that was
    /// already authorised stays.
    ///
    /// The calls find each other through files in the user's state folder, or else in a folder for temporary files. These contain no
    /// address, name or secret.
    ///
    /// If the task is cancelled, the call still waits until the IP is removed. You may close the client before the closure ends.
    ///
    /// - Parameters:
    ///   - ip: The address, IPv4 or IPv6. By default, it is this machine's address, as the service sees it. This is the local address
    ///     of a connection to the service. If that address is not public, for example behind a router, the `lookup` page is asked
    ///     instead. Neither goes through a proxy, because programs connect to ProxyMesh's proxies directly.
    ///   - label: The label to store with the IP, at most 255 characters; by default, `proxymesh on` and the name of this
    ///     machine.
    ///   - lookup: The URL of a page that returns the requester's address as plain text; `https://api.ipify.org` by default. It gets
    ///     no credentials.
    ///   - username: The sub-account to authorise it for; by default, your own account.
    ///   - isolation: The actor on which `body` runs; by default, the caller's.
    ///   - body: What to do while the IP is authorised. It gets the address.
    /// - Returns: What `body` returns.
    /// - Throws: If `body` throws an error, that error is thrown, even if the IP cannot be removed. Otherwise:
    ///   - ``ProxyMeshError/validation(_:)``: An argument is invalid. Nothing was sent.
    ///   - `CancellationError`: The task was cancelled before the IP was authorised. `body` did not run.
    ///   - ``ProxyMeshError/connection(_:)``: This machine's address could not be determined within 10 seconds.
    ///   - ``ProxyMeshError/timeout(_:)``: Another process has been adding or removing an IP for more than 60 seconds.
    ///   - ``ProxyMeshError/config(_:)``: There is no folder that only this user can write to, or the client is closed.
    ///   - The errors of `labels` and `add`, if the IP cannot be added, and of `labels` and `delete`, if it cannot be removed. An
    ///     IP that cannot be removed stays authorised, and the next call of the account on this machine takes it over or removes it.
    public func withAuthorizedIP<Given: Sendable>(
        _ ip: String? = nil,
        label: String? = nil,
        lookup: URL? = nil,
        username: String? = nil,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (String) async throws -> Given
    ) async throws -> Given {
        let options = LeaseOptions(ip: ip, label: label, lookup: lookup?.absoluteString, username: username)
        let lease = try client.native.new(ProxyMeshInternal.lease(options: options))
        let given: Given
        do {
            given = try await body(lease.later(leaseEnter()))
        } catch {
            try? await lease.finish(leaseRelease())
            throw error
        }
        try await lease.finish(leaseRelease())
        return given
    }
}

extension BlockingClient.IPs {
    /// Authorises an IP while `body` runs, and then removes it again.
    ///
    /// ```swift
    /// try client.ips.withAuthorizedIP { ip in
    ///     print(ip, "may use the proxies without credentials")
    /// }
    /// ```
    ///
    /// The IP is added if it is not authorised yet. It is removed at the end, even if `body` throws an error. If several calls of
    /// the same user on the same machine need the IP, the last one removes it, whichever process it is in, and even if they use
    /// different credentials for the account. If a killed process leaves an IP behind, the next call of the account takes it
    /// over. If this machine has a different address by then, the next call with the same credentials removes the old one. If the
    /// IP's label has changed, the IP belongs to someone else and stays. An IP that was already authorised stays.
    ///
    /// The calls find each other through files in the user's state folder, or else in a folder for temporary files. These contain no
    /// address, name or secret.
    ///
    /// You may close the client before the closure ends.
    ///
    /// - Parameters:
    ///   - ip: The address, IPv4 or IPv6. By default, it is this machine's address, as the service sees it. This is the local address
    ///     of a connection to the service. If that address is not public, for example behind a router, the `lookup` page is asked
    ///     instead. Neither goes through a proxy, because programs connect to ProxyMesh's proxies directly.
    ///   - label: The label to store with the IP, at most 255 characters; by default, `proxymesh on` and the name of this
    ///     machine.
    ///   - lookup: The URL of a page that returns the requester's address as plain text; `https://api.ipify.org` by default. It gets
    ///     no credentials.
    ///   - username: The sub-account to authorise it for; by default, your own account.
    ///   - body: What to do while the IP is authorised. It gets the address.
    /// - Returns: What `body` returns.
    /// - Throws: If `body` throws an error, that error is thrown, even if the IP cannot be removed. Otherwise:
    ///   - ``ProxyMeshError/validation(_:)``: An argument is invalid. Nothing was sent.
    ///   - ``ProxyMeshError/connection(_:)``: This machine's address could not be determined within 10 seconds.
    ///   - ``ProxyMeshError/timeout(_:)``: Another process has been adding or removing an IP for more than 60 seconds.
    ///   - ``ProxyMeshError/config(_:)``: There is no folder that only this user can write to, or the client is closed.
    ///   - The errors of `labels` and `add`, if the IP cannot be added, and of `labels` and `delete`, if it cannot be removed. An
    ///     IP that cannot be removed stays authorised, and the next call of the account on this machine takes it over or removes it.
    public func withAuthorizedIP<Given>(
        _ ip: String? = nil,
        label: String? = nil,
        lookup: URL? = nil,
        username: String? = nil,
        _ body: (String) throws -> Given
    ) throws -> Given {
        let options = LeaseOptions(ip: ip, label: label, lookup: lookup?.absoluteString, username: username)
        let lease = try client.native.new(ProxyMeshInternal.lease(options: options))
        let given: Given
        do {
            given = try body(lease.wait(leaseEnter()))
        } catch {
            try? lease.wait(leaseRelease())
            throw error
        }
        try lease.wait(leaseRelease())
        return given
    }
}
