import Foundation
internal import ProxyMeshInternal

extension Settings {
    /// The settings as both clients take them. What they may be is for the core to say.
    init(
        username: String?, password: String?, token: String?, baseURL: URL?, timeout: Duration?, connectTimeout: Duration?,
        maxRetries: Int?, caFile: URL?, trustEnv: Bool
    ) {
        self.init(
            username: username,
            password: password,
            token: token,
            baseUrl: baseURL?.absoluteString,
            timeout: timeout?.inSeconds,
            connectTimeout: connectTimeout?.inSeconds,
            maxRetries: maxRetries.map(Int64.init),
            caFile: caFile.map { $0.isFileURL ? $0.path : $0.absoluteString },
            trustEnv: trustEnv,
            userAgent: "proxymesh-swift/\(version())")
    }
}

extension Options {
    init(timeout: Duration?, maxRetries: Int?) {
        self.init(timeout: timeout?.inSeconds, maxRetries: maxRetries.map(Int64.init))
    }
}

extension Duration {
    /// Seconds as the core gives them. `Duration.seconds` and `components` trap on what is beyond 64 bits, and what a service asks
    /// to wait may be that.
    init(inSeconds seconds: Double) {
        self = .seconds(min(seconds, 9e18))
    }

    fileprivate var inSeconds: Double { self / .seconds(1) }
}
