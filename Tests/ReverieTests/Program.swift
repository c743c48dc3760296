import Foundation
import TestSupport

/// The built program, run as a process in a folder of its own.
struct Program {
  /// What a run left.
  struct Result {
    let status: Int32
    let output: String
    let errors: String
    /// Whether it was ended by a signal instead of ending itself.
    let crashed: Bool
  }

  let folder: URL

  /// A new, empty folder to run in.
  init() throws {
    folder = try ScratchFolder.make("run")
  }

  /// The program that was built with these tests.
  static var url: URL {
    URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
      .appending(path: "reverie")
  }

  /// Starts the program.
  /// - Parameters:
  ///   - arguments: without the program's name.
  ///   - input: what it reads from standard input.
  func start(_ arguments: [String], input: Data? = nil) throws
    -> (Process, output: Pipe, errors: Pipe)
  {
    let process = Process()
    process.executableURL = Self.url
    process.arguments = arguments
    process.currentDirectoryURL = folder
    var environment = ProcessInfo.processInfo.environment
    environment["REVERIE_OUTPUTS"] = nil
    environment["OMP_NUM_THREADS"] = "1"
    environment["REVERIE_CACHE"] = folder.appending(path: "../cache").path
    environment["REVERIE_PRESETS"] = folder.appending(path: "presets").path
    environment["REVERIE_MODELS"] = folder.appending(path: "models").path
    process.environment = environment
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = FileHandle.nullDevice
    if let input {
      let file = folder.appending(path: ".input")
      try input.write(to: file)
      process.standardInput = try FileHandle(forReadingFrom: file)
    }
    try process.run()
    return (process, output, errors)
  }

  /// Runs the program to its end. What it says fits into a pipe.
  func run(_ arguments: [String], input: Data? = nil) throws -> Result {
    let (process, output, errors) = try start(arguments, input: input)
    let out = output.fileHandleForReading.readDataToEndOfFile()
    let err = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Result(
      status: process.terminationStatus, output: String(decoding: out, as: UTF8.self),
      errors: String(decoding: err, as: UTF8.self),
      crashed: process.terminationReason == .uncaughtSignal)
  }

  /// Everything in the folder, folders included.
  var contents: [String] {
    let found = FileManager.default.enumerator(atPath: folder.path)
    return (found?.allObjects as? [String] ?? []).sorted()
  }
}
