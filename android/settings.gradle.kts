// For people with the Android SDK. NOT RUN IN CI, which has neither Gradle nor the SDK: there Maven builds and tests the same sources
// (app/pom.xml) and scripts/apk packs them. First scripts/android-core, which makes the libraries and the bindings.
pluginManagement {
    repositories {
        google()
        mavenCentral()
        gradlePluginPortal()
    }
    plugins {
        id("com.android.application") version "8.13.1"
        id("org.jetbrains.kotlin.android") version "2.2.21"
    }
}

dependencyResolutionManagement {
    repositories {
        google()
        mavenCentral()
    }
}

rootProject.name = "groschen"
include(":app")
