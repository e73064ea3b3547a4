// Builds the AAR for Android: com.proxymesh:proxymesh-android. `make dist ONLY=aar` runs this, after it has written the native libraries
// and the licences into build. It needs the Android SDK and Google's Maven repository, so only the release workflow does so.
//
// The AAR is built from the sources of the jars, not from the jars, because the jars contain the libraries for desktops and servers.
plugins {
    // Version 9 and later compile Kotlin themselves.
    id("com.android.library") version "9.0.0"
    `maven-publish`
}

group = "com.proxymesh"
version = Regex("(?m)^version = \"(.+)\"").find(file("../../../Cargo.toml").readText())!!.groupValues[1]

android {
    namespace = "com.proxymesh"
    compileSdk = 36

    defaultConfig {
        // The first version with java.time and java.nio.file.
        minSdk = 26
        // These rules apply in the app that uses the AAR. The AAR itself is not shrunk.
        consumerProguardFiles("consumer-rules.pro")
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }

    sourceSets.getByName("main") {
        kotlin.directories += listOf("../native/src/main/kotlin", "../sdk/src/main/kotlin")
        java.directories += "../sdk/src/main/kotlin" // package-info.java
        jniLibs.directories += "build/jniLibs"
        resources.directories += "build/licenses"
    }

    publishing {
        singleVariant("release") {
            withSourcesJar()
            withJavadocJar()
        }
    }
}

dependencies {
    api("org.jetbrains.kotlinx:kotlinx-coroutines-core:1.10.2")
    api("org.jspecify:jspecify:1.0.0")
}

publishing {
    publications {
        register<MavenPublication>("release") {
            artifactId = "proxymesh-android"
            afterEvaluate { from(components["release"]) }
            // The same as in ../pom.xml, without which Maven Central refuses the AAR.
            pom {
                name = "ProxyMesh SDK for Android"
                description = "The SDK for the ProxyMesh account API, for Android."
                url = "https://proxymesh.com"
                licenses {
                    license {
                        name = "MIT"
                        url = "https://opensource.org/license/mit"
                    }
                    license {
                        name = "Apache-2.0"
                        url = "https://www.apache.org/licenses/LICENSE-2.0"
                    }
                }
                developers {
                    developer {
                        name = "ProxyMesh"
                    }
                }
                scm {
                    url = "https://github.com/proxymesh/proxymesh-sdk"
                    connection = "scm:git:https://github.com/proxymesh/proxymesh-sdk.git"
                    developerConnection = "scm:git:https://github.com/proxymesh/proxymesh-sdk.git"
                }
            }
        }
    }
    repositories {
        maven {
            name = "staging"
            url = uri(layout.buildDirectory.dir("staging"))
        }
    }
}
