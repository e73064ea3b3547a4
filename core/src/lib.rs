//! The ProxyMesh account API.
