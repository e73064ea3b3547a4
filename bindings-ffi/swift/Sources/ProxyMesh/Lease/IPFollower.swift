import Foundation
internal import ProxyMeshInternal

/// Keeps this machine's address authorised until it is closed. `client.ips.follow` creates it.
///
/// Call `close` when the address no longer needs to be authorised. A follower that is no longer referenced ends by itself, and removes
/// the IP in the background. If the program ends before that, the IP stays authorised. The next lease of the same account on this
/// machine then takes it over or removes it.
public final class IPFollower: Sendable {
    private let native: Native
    private let first: String

    fileprivate init(_ native: Native, _ first: String) {
        self.native = native
        self.first = first
    }

    /// The IP that is authorised now.
    public var ip: String { (try? native.now(followerIp())).flatMap { $0 } ?? first }

    /// Why the last check failed; `nil` if it worked. After a failure, the check is repeated after one second, and then at intervals
    /// that double until they reach the interval of the follower.
    public var error: ProxyMeshError? { native.lastError }

    /// Whether the follower is still running. It ends by itself only if the service rejects the credentials. ``error`` is then
    /// that refusal.
    public var isRunning: Bool { (try? native.now(followerIsRunning())) ?? false }

    /// Ends the follower and removes the IP, if it was added for a lease and nobody on this machine needs it any more. You may close
    /// a follower twice. A cancelled task still closes it.
    ///
    /// - Throws: The error that ended the follower, or else the error of removing the IP. The IP then stays authorised, and the
    ///   next lease of the account on this machine takes it over or removes it.
    public func close() async throws {
        try await native.finish(followerClose())
    }
}

/// An ``IPFollower`` for scripts and threads. `client.ips.follow` creates it.
///
/// Call `close` when the address no longer needs to be authorised. A follower that is no longer referenced ends by itself, and removes
/// the IP in the background. If the program ends before that, the IP stays authorised. The next lease of the same account on this
/// machine then takes it over or removes it.
public final class BlockingIPFollower: Sendable {
    private let native: Native
    private let first: String

    fileprivate init(_ native: Native, _ first: String) {
        self.native = native
        self.first = first
    }

    /// The IP that is authorised now.
    public var ip: String { (try? native.now(followerIp())).flatMap { $0 } ?? first }

    /// Why the last check failed; `nil` if it worked. After a failure, the check is repeated after one second, and then at intervals
    /// that double until they reach the interval of the follower.
    public var error: ProxyMeshError? { native.lastError }

    /// Whether the follower is still running. It ends by itself only if the service rejects the credentials. ``error`` is then
    /// that refusal.
    public var isRunning: Bool { (try? native.now(followerIsRunning())) ?? false }

    /// Ends the follower and removes the IP, if it was added for a lease and nobody on this machine needs it any more. You may close
    /// a follower twice.
    ///
    /// - Throws: The error that ended the follower, or else the error of removing the IP. The IP then stays authorised, and the
    ///   next lease of the account on this machine takes it over or removes it.
    @available(*, noasync, message: "blocks the thread; await the calls of IPFollower instead")
    public func close() throws(ProxyMeshError) {
        try native.wait(followerClose())
    }
}

extension Client.IPs {
    /// Keeps this machine's address authorised while it changes, until the follower is closed. The address is checked in the
    /// background once per `interval`. If it has changed, the new address is added, and the old one is removed, as by
    /// `withAuthorizedIP`. An address that was already authorised stays.
    ///
    /// ```swift
    /// let follower = try await client.ips.follow(label: "home")
    /// print(follower.ip, "may use the proxies without credentials")
    /// try await follower.close()
    /// ```
    ///
    /// If this machine has a dynamic DNS name, `hostnames.add` is the service's own solution for a changing address. Nothing has
    /// to run on this machine then.
    ///
    /// A check that fails, for example because this machine is offline, is repeated. The last address stays authorised meanwhile. Only
    /// rejected credentials end the follower. The client may be closed before the follower.
    ///
    /// - Parameters:
    ///   - label: The label to store with the IP, at most 255 characters; by default, `proxymesh on` and the name of this
    ///     machine.
    ///   - lookup: The URL of a page that returns the requester's address as plain text; `https://api.ipify.org` by default. Behind a
    ///     router, each check asks it. It gets no credentials.
    ///   - username: The sub-account to authorise the IP for; by default, your own account.
    ///   - interval: The time from the end of one check to the next, from one second to one day; 60 s by default.
    /// - Throws: The errors of `withAuthorizedIP`, for the first address. In that case, nothing runs in the background.
    public func follow(
        label: String? = nil,
        lookup: URL? = nil,
        username: String? = nil,
        interval: Duration? = nil
    ) async throws -> IPFollower {
        let native = try client.native.new(follower(options: FollowerOptions(label, lookup, username, interval)))
        do {
            return IPFollower(native, try await native.later(followerStart()))
        } catch {
            try? await native.finish(followerClose())
            throw error
        }
    }
}

extension BlockingClient.IPs {
    /// Keeps this machine's address authorised while it changes, until the follower is closed. The address is checked in the
    /// background once per `interval`. If it has changed, the new address is added, and the old one is removed, as by
    /// `withAuthorizedIP`. An address that was already authorised stays.
    ///
    /// ```swift
    /// let follower = try client.ips.follow(label: "home")
    /// print(follower.ip, "may use the proxies without credentials")
    /// try follower.close()
    /// ```
    ///
    /// If this machine has a dynamic DNS name, `hostnames.add` is the service's own solution for a changing address. Nothing has
    /// to run on this machine then.
    ///
    /// A check that fails, for example because this machine is offline, is repeated. The last address stays authorised meanwhile. Only
    /// rejected credentials end the follower. The client may be closed before the follower.
    ///
    /// - Parameters:
    ///   - label: The label to store with the IP, at most 255 characters; by default, `proxymesh on` and the name of this
    ///     machine.
    ///   - lookup: The URL of a page that returns the requester's address as plain text; `https://api.ipify.org` by default. Behind a
    ///     router, each check asks it. It gets no credentials.
    ///   - username: The sub-account to authorise the IP for; by default, your own account.
    ///   - interval: The time from the end of one check to the next, from one second to one day; 60 s by default.
    /// - Throws: The errors of `withAuthorizedIP`, for the first address. In that case, nothing runs in the background.
    public func follow(
        label: String? = nil,
        lookup: URL? = nil,
        username: String? = nil,
        interval: Duration? = nil
    ) throws(ProxyMeshError) -> BlockingIPFollower {
        let native = try client.native.new(follower(options: FollowerOptions(label, lookup, username, interval)))
        do throws(ProxyMeshError) {
            return BlockingIPFollower(native, try native.wait(followerStart()))
        } catch {
            try? native.wait(followerClose())
            throw error
        }
    }
}

extension FollowerOptions {
    fileprivate init(_ label: String?, _ lookup: URL?, _ username: String?, _ interval: Duration?) {
        self.init(label: label, lookup: lookup?.absoluteString, username: username, interval: interval?.inSeconds)
    }
}

extension Native {
    fileprivate var lastError: ProxyMeshError? {
        do throws(ProxyMeshError) {
            try now(followerCheck())
            return nil
        } catch {
            return error
        }
    }
}
