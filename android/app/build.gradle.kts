// NOT RUN IN CI, see ../settings.gradle.kts. Versions of libraries are those of pom.xml.
plugins {
    id("com.android.application")
    id("org.jetbrains.kotlin.android")
}

// Made by scripts/android-core, in the folder that it was told by CARGO_TARGET_DIR too.
val made = file(System.getenv("CARGO_TARGET_DIR")?.let { "$it/android" } ?: "../../target/android")

android {
    namespace = "app.groschen.till"
    compileSdk = 35

    defaultConfig {
        applicationId = "app.groschen.till"
        minSdk = 26
        targetSdk = 35
        // The workspace's version, and the number that Android compares.
        val (major, minor, patch) = Regex("""(?m)^version = "(\d+)\.(\d+)\.(\d+)"""")
            .find(file("../../Cargo.toml").readText())!!.destructured
        versionCode = major.toInt() * 10000 + minor.toInt() * 100 + patch.toInt()
        versionName = "$major.$minor.$patch"
        ndk { abiFilters += listOf("arm64-v8a", "armeabi-v7a", "x86_64") }
    }

    sourceSets["main"].kotlin.srcDirs("src/main/kotlin", "$made/bindings")
    sourceSets["main"].jniLibs.srcDirs("$made/libraries")

    buildTypes {
        release {
            isMinifyEnabled = true
            proguardFiles("keep.pro")
        }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }
}

kotlin { jvmToolchain(17) }

// A core missing from the libraries would make an app that installs and cannot sell.
tasks.named("preBuild") {
    doFirst {
        for (abi in listOf("arm64-v8a", "armeabi-v7a", "x86_64")) {
            check(file("$made/libraries/$abi/libcore_ffi.so").exists()) { "There is no core for $abi: run scripts/android-core first." }
        }
    }
}

dependencies {
    implementation("com.google.zxing:core:3.5.3")
    implementation("net.java.dev.jna:jna:5.18.1@aar")
}
