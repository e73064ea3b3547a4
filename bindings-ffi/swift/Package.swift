// swift-tools-version:6.0
import PackageDescription

// ProxyMesh is the API, written by hand; ProxyMeshInternal is generated (`make bindings`), and calls the native library through
// the C module ProxyMeshFFI.

#if canImport(Darwin)
    // The native library for all of Apple's platforms, which bindings-ffi/swift/xcframework.sh puts here.
    let native: Target = .binaryTarget(name: "ProxyMeshFFI", path: "ProxyMeshFFI.xcframework")
#else
    // libproxymesh_ffi, from `cargo build --release -p proxymesh-ffi`. It is taken from where the linker looks: from /usr/local/lib,
    // say, or from a folder given by `LIBRARY_PATH=FOLDER swift build`, or by `swift build -Xlinker -L -Xlinker FOLDER`. In a folder
    // with libproxymesh_ffi.a alone, that is linked, and the program needs no library where it runs.
    let native: Target = .systemLibrary(name: "ProxyMeshFFI")
#endif

let package = Package(
    name: "ProxyMesh",
    platforms: [.macOS(.v13), .iOS(.v16), .tvOS(.v16), .watchOS(.v9), .visionOS(.v1)],  // the first that have Duration
    products: [.library(name: "ProxyMesh", targets: ["ProxyMesh"])],
    targets: [
        native,
        .target(
            name: "ProxyMeshInternal",
            dependencies: ["ProxyMeshFFI"],
            linkerSettings: [.linkedLibrary("proxymesh_ffi", .when(platforms: [.linux]))]),
        .target(
            name: "ProxyMesh",
            dependencies: ["ProxyMeshInternal"]),
        .testTarget(
            name: "ProxyMeshTests",
            dependencies: ["ProxyMesh", "ProxyMeshInternal"]),
    ],
    swiftLanguageModes: [.v6]
)
