import Foundation
import Testing

@testable import Training

/// Stages whose batches several processes share.
extension PackTrainingTests {
  @Test("a stage takes the same steps in two processes as in one")
  func shared() async throws {
    try await withFolder { folder in
      let base = folder.appending(path: "base")
      try FileManager.default.createDirectory(at: base, withIntermediateDirectories: true)
      for stage in [PackTraining.Stage.tokenizer, .vqgan, .clip, .decoder] {
        let text = try #require(configurations[stage])
        try training(base).run(stage, configuration: write(text, "given.yaml", in: base))
      }
      for stage in PackTraining.shared {
        try compare(stage, base, in: folder.appending(path: stage.rawValue))
      }
    }
  }

  /// Trains a stage in one process and in two that stand where the others of `base` led.
  private func compare(_ stage: PackTraining.Stage, _ base: URL, in folder: URL) throws {
    let files = FileManager.default
    try files.createDirectory(at: folder, withIntermediateDirectories: true)
    let (apart, both) = (folder.appending(path: "alone"), folder.appending(path: "together"))
    for runs in [apart, both] {
      try files.copyItem(at: base, to: runs)
      // What the stage itself made is not to be gone on from.
      try? files.removeItem(at: runs.appending(path: stage.rawValue))
    }
    let text = try #require(configurations[stage]).replacing("steps: 2", with: "steps: 5")
    let configuration = try write(text, "\(stage.rawValue).yaml", in: folder)
    var alone: [[Double]] = []
    try training(apart, report: { alone.append($0.figures.map(\.value)) })
      .run(stage, configuration: configuration)
    let together = try inGroup(of: 2) { group in
      var figures: [[Double]] = []
      try training(both, group: group, report: { figures.append($0.figures.map(\.value)) })
        .run(stage, configuration: configuration)
      return figures
    }.map { try $0.get() }
    #expect(alone.count == 5 && together.map(\.count) == [5, 5], "\(stage)")
    for figures in together {
      // The loss, what the stage adds, and the gradient's norm; a sheet adds to the last step's of the first process.
      for (step, (a, b)) in zip(figures, alone).enumerated() {
        for (x, y) in zip(a, b) {
          #expect(abs(x - y) <= 1e-5 * max(1, abs(y)), "\(stage), step \(step): \(a), alone \(b)")
        }
      }
    }
  }

  @Test("a stage that compares examples otherwise is not shared, nor a batch that cannot be")
  func unshared() async throws {
    try await withFolder { folder in
      let vqgan = try write(try #require(configurations[.vqgan]), "vqgan.yaml", in: folder)
      let dvae = try write(try #require(configurations[.dvae]), "dvae.yaml", in: folder)
      for (stage, file, size, word) in [
        (PackTraining.Stage.vqgan, vqgan, 2, "trains in one process"),
        (.dvae, dvae, 3, "a batch of 4 cannot be shared evenly among 3 processes"),
      ] {
        for end in try inGroup(
          of: size, { try training(folder, group: $0).run(stage, configuration: file) })
        {
          let error = #expect(throws: TrainingError.self) { try end.get() }
          #expect("\(try #require(error))".contains(word))
        }
      }
    }
  }
}
