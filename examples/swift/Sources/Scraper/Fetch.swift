import CCurl
import Foundation
import ProxyMesh

/// A response.
public struct Page: Sendable {
    /// The site's status, or the proxy's if the proxy refuses.
    public let status: Int
    /// The page.
    public let body: Data
    /// The exit IP, as the proxy says.
    public let exitIP: String?
    /// The exit IP that was asked for, if the proxy does not have it.
    public let missingIP: String?
    /// Why the proxy refuses, in its own words.
    public let proxyError: String?
}

/// There is no response.
public struct FetchError: Error {
    /// Why, in the words of libcurl.
    public let reason: String
}

/// Fetches a page through a proxy, and blocks the thread meanwhile. Redirects are not followed.
func fetchNow(_ page: URL, through proxy: Proxy) throws -> Page {
    let curl = curl_easy_init()
    defer { curl_easy_cleanup(curl) }
    curl_set_text(curl, CURLOPT_URL, page.absoluteString)
    curl_set_text(curl, CURLOPT_PROXY, "http://\(proxy.address.host):\(proxy.address.port)")
    curl_set_text(curl, CURLOPT_NOPROXY, "")  // Whatever the environment says, no site is reached directly.
    curl_set_number(curl, CURLOPT_TIMEOUT, 30)
    curl_set_number(curl, CURLOPT_NOSIGNAL, 1)  // Needed if several threads use libcurl.

    // The credentials and the exit choice go to the proxy, and not to the site.
    var headers: UnsafeMutablePointer<curl_slist>?
    defer { curl_slist_free_all(headers) }
    for (name, value) in try proxy.headers() {
        headers = curl_slist_append(headers, "\(name): \(value)")
    }
    curl_set_list(curl, CURLOPT_PROXYHEADER, headers)
    curl_set_number(curl, CURLOPT_HEADEROPT, Int(CURLHEADER_SEPARATE))

    let response = Response()
    let pointer = Unmanaged.passUnretained(response).toOpaque()
    curl_set_pointer(curl, CURLOPT_WRITEDATA, pointer)
    curl_set_callback(curl, CURLOPT_WRITEFUNCTION) { bytes, _, count, response in
        Response.at(response).body.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: count))
        return count
    }
    curl_set_pointer(curl, CURLOPT_HEADERDATA, pointer)
    curl_set_callback(curl, CURLOPT_HEADERFUNCTION) { bytes, _, count, response in
        Response.at(response).add(String(decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self))
        return count
    }
    let result = withExtendedLifetime(response) { curl_easy_perform(curl) }

    let answered = curl_get_number(curl, CURLINFO_HTTP_CONNECTCODE)
    let isRefused = answered != 0 && answered != 200
    guard result == CURLE_OK || isRefused else { throw FetchError(reason: String(cString: curl_easy_strerror(result))) }
    return Page(
        status: isRefused ? answered : curl_get_number(curl, CURLINFO_RESPONSE_CODE), body: response.body,
        exitIP: response.proxyHeaders["x-proxymesh-ip"], missingIP: response.proxyHeaders["x-proxymesh-ip-not-found"],
        proxyError: response.proxyHeaders["x-proxymesh-error"])
}

/// What has arrived.
private final class Response {
    var body = Data()
    /// The headers of the first response. It is the proxy's answer to the `CONNECT` for an https page.
    private(set) var proxyHeaders: [String: String] = [:]
    private var responses = 0

    static func at(_ pointer: UnsafeMutableRawPointer?) -> Response {
        Unmanaged<Response>.fromOpaque(pointer!).takeUnretainedValue()
    }

    func add(_ line: String) {
        if line.hasPrefix("HTTP/") { responses += 1 }
        let parts = line.split(separator: ":", maxSplits: 1)
        guard responses == 1, parts.count == 2 else { return }
        proxyHeaders[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// Fetches a page through a proxy. Redirects are not followed.
public func fetch(_ page: URL, through proxy: Proxy) async throws -> Page {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global().async {
            continuation.resume(with: Result { try fetchNow(page, through: proxy) })
        }
    }
}
