// An app that uses the AAR, for android.sh.
plugins {
    id("com.android.application") version "9.0.0"
}

android {
    namespace = "com.example.place"
    compileSdk = 36

    defaultConfig {
        minSdk = 26
    }

    buildTypes.getByName("release") {
        isMinifyEnabled = true
        proguardFiles(getDefaultProguardFile("proguard-android-optimize.txt"))
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }
}

repositories {
    google()
    mavenCentral()
    maven(providers.gradleProperty("bundle").get())
}

dependencies {
    implementation("com.proxymesh:proxymesh-android:${providers.gradleProperty("sdk").get()}")
}
