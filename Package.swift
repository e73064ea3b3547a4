// swift-tools-version:6.0
import PackageDescription

// The Swift package of the ProxyMesh SDK; its sources are in bindings-ffi/swift. It stands here because SwiftPM finds a
// package at the root of a repository, and nowhere else.
//
// ProxyMesh is the API, written by hand; ProxyMeshInternal is generated (`make bindings`), and calls the native library
// through the C module ProxyMeshFFI.
#if canImport(Darwin)
    // The native library for all of Apple's platforms, as bindings-ffi/swift/xcframework.sh makes it. For a release, the script
    // prints the `url:` and the `checksum:` that replace the `path:`.
    let native = Target.binaryTarget(name: "ProxyMeshFFI", path: "target/xcframework/ProxyMeshFFI.xcframework")
#else
    // libproxymesh_ffi.a, which `make swift` builds, is taken from where the linker looks: /usr/local/lib, say, or a folder given
    // by `LIBRARY_PATH=FOLDER swift build`. The program then needs no library where it runs.
    let native = Target.systemLibrary(name: "ProxyMeshFFI", path: "bindings-ffi/swift/Sources/ProxyMeshFFI")
#endif

let package = Package(
    name: "proxymesh-sdk",
    platforms: [.macOS(.v13), .iOS(.v16), .tvOS(.v16), .watchOS(.v9), .visionOS(.v1)],  // the first that have Duration
    products: [.library(name: "ProxyMesh", targets: ["ProxyMesh"])],
    targets: [
        native,
        .target(
            name: "ProxyMeshInternal", dependencies: ["ProxyMeshFFI"], path: "bindings-ffi/swift/Sources/ProxyMeshInternal",
            linkerSettings: [.linkedLibrary("proxymesh_ffi", .when(platforms: [.linux]))]),
        .target(name: "ProxyMesh", dependencies: ["ProxyMeshInternal"], path: "bindings-ffi/swift/Sources/ProxyMesh"),
        .testTarget(
            name: "ProxyMeshTests", dependencies: ["ProxyMesh", "ProxyMeshInternal"],
            path: "bindings-ffi/swift/Tests/ProxyMeshTests"),
        // For tests/conformance. No product, so that nobody else builds it.
        .executableTarget(
            name: "ConformanceAgent", dependencies: ["ProxyMesh"], path: "bindings-ffi/swift/Tests/ConformanceAgent"),
        // What the tests run without descriptors, threads or memory.
        .executableTarget(name: "Limited", dependencies: ["ProxyMesh"], path: "bindings-ffi/swift/Tests/Limited"),
    ],
    swiftLanguageModes: [.v6]
)
