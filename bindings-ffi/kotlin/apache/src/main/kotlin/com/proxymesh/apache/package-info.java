/** Sends the requests of Apache HttpClient through a proxy of ProxyMesh. */
@NullMarked
package com.proxymesh.apache;

import org.jspecify.annotations.NullMarked;
