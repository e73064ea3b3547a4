//! The ProxyMesh account API, emulated.
