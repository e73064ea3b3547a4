/** Sends the requests of OkHttp through a proxy of ProxyMesh. */
@NullMarked
package com.proxymesh.okhttp;

import org.jspecify.annotations.NullMarked;
