import Foundation
import Library
import Logging
import Torch
import TestSupport

@testable import Painting
@testable import Studio

/// A studio in a folder of its own, for one test.
struct Bench {
  let folder: StudioFolder
  let server: StudioServer
  var queue: JobQueue { server.queue }
  var store: Store { server.queue.store }

  private static let pack = Result { try Pack(folder: TinyPack.make(upscaler: true)) }

  /// - Parameters:
  ///   - folder: of an earlier one, to open again.
  ///   - interrogator: says what pictures show.
  ///   - pack: paints; one of all networks if left out.
  init(
    _ folder: StudioFolder? = nil, interrogator: Interrogator? = nil,
    pack: Pack? = nil, _ change: (inout StudioServer.Options) -> Void = { _ in }
  ) async throws {
    self.folder = try folder ?? StudioFolder(ScratchFolder.make("studio"))
    var options = StudioServer.Options()
    change(&options)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let library = ModelLibrary(store: .init(folder: try ScratchFolder.make("models")))
    server = try await StudioServer(
      folder: self.folder,
      admission: JobFactory(
        pack: try pack ?? Self.pack.get(), presets: PresetLibrary(folders: [PresetLibrary.shipped]),
        library: library, device: .cpu), devices: ["cpu"], options: options,
      interrogator: interrogator, logger: logger)
  }

  /// A job of a prompt.
  func new(_ prompt: String, count: Int = 1, seed: Int = 1) throws -> Store.NewJob {
    var request = Request(prompt)
    request.method = "vqgan-clip"
    request.seed = seed
    request.iterations = 3
    return try server.admission.job(request, count: count)
  }

  /// Hands in jobs of these prompts.
  @discardableResult func submit(_ prompts: String...) async throws -> [Job] {
    var jobs: [Job] = []
    for prompt in prompts { jobs.append(try await queue.submit(new(prompt)).job) }
    return jobs
  }

  /// Runs a runner while `body` does.
  func painting(_ worker: any Worker, _ body: () async throws -> Void) async throws {
    let runner = Task { [queue] in
      try await DeviceRunner(queue: queue, device: "cpu", worker: worker).run()
    }
    do {
      try await body()
    } catch {
      await queue.leaveAll()
      throw error
    }
    await queue.leaveAll()
    try await runner.value
  }

  /// Waits until a job stands as wanted.
  /// - Parameter what: what it is to come to, for the message of a test that waits in vain.
  @discardableResult
  func wait(
    for id: String, _ what: String = "its end", until isThere: (Job) -> Bool = { $0.state.isOver }
  ) async throws -> Job {
    var last: Job?
    try await TestSupport.wait(for: "\(what) of job \(id), which is \(String(describing: last))") {
      last = try await store.job(id)
      return last.map(isThere) ?? false
    }
    guard let last else { throw NeverCame(description: "there is no job \(id)") }
    return last
  }
}
