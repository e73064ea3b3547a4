/** Sends the requests of OkHttp through a ProxyMesh proxy. */
@NullMarked
package com.proxymesh.okhttp;

import org.jspecify.annotations.NullMarked;
