import Foundation
import HTTPTypes
import Subprocess

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

/// Says what pictures show, in a process of its own that ends with its answer: whatever goes wrong with a
/// picture, the studio stays. One at a time, since each has networks of its own in memory.
public actor Interrogator {
  private let program: String
  private let arguments: [String]
  private var last: Task<Void, Never>?

  /// - Parameters:
  ///   - program: the absolute path of reverie.
  ///   - arguments: the device and its like, as `reverie describe` takes them.
  public init(program: String, arguments: [String] = []) {
    self.program = program
    self.arguments = arguments
  }

  private struct Answer: Decodable {
    let caption: String
  }

  /// What a picture shows, as a prompt.
  /// - Throws: `Problem` with what the process complained about.
  func caption(of picture: URL) async throws -> String {
    let before = last
    let task = Task {
      await before?.value
      try Task.checkCancellation()
      return try await describe(picture)
    }
    last = Task { _ = try? await task.value }
    return try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      task.cancel()
    }
  }

  private func describe(_ picture: URL) async throws -> String {
    let result = try await run(
      .path(FilePath(program)),
      arguments: .init(["describe", picture.path, "--json"] + arguments),
      output: .string(limit: 1 << 20), error: .string(limit: 1 << 16))
    let text = result.standardOutput
    guard result.terminationStatus.isSuccess,
      let answer = try? JSONDecoder().decode(Answer.self, from: Data(text.utf8))
    else {
      let complaint = result.standardError.split(separator: "\n").last.map(String.init)
      throw Problem(
        .internalServerError, complaint ?? "The program that describes pictures gave no answer.")
    }
    return answer.caption
  }
}
