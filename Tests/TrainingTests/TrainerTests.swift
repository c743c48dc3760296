import Foundation
import Imaging
import Testing
import Torch
import Weights

@testable import Training

/// Fits a line to points that depend on the step alone.
private final class Line: Trainee {
  let parameters: [(key: String, tensor: Tensor)]
  private let weight: Tensor

  init() {
    weight = Tensor([0, 0] as [Float]).variable()
    parameters = [("weight", weight)]
  }

  func loss(step: Int) -> (loss: Tensor, figures: [(name: String, value: Tensor)]) {
    let x = RandomStream(seed: 1, "points \(step)").normal([16])
    let y = x * 3 + 1
    let guess = x * weight.narrowed(0, 0, 1) + weight.narrowed(0, 1, 1)
    return ((guess - y).square().mean(), [])
  }

  func examine(step: Int) throws -> (figures: [(name: String, value: Double)], sheet: Picture?) {
    ([("slope", weight.floats().first.map(Double.init) ?? .nan)], nil)
  }
}

private func schedule(steps: Int) -> TrainingSchedule {
  TrainingSchedule(
    seed: 1, steps: steps, batch: 16, rate: 0.1, warmup: 5, cooldown: 20, decay: 0, beta2: 0.99,
    clip: 10, averaging: 0.9, saveEvery: 7, sampleEvery: 50)
}

private func withRun<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appending(path: "run-\(UUID().uuidString)")
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}

@Suite struct TrainerTests {
  private func train(_ folder: URL, steps: Int, until stop: (Int) -> Bool = { _ in false }) throws
    -> [Float]
  {
    let line = Line()
    let trainer = Trainer(
      line, schedule(steps: steps), run: try run(folder), precision: .float32, device: .cpu)
    var done = 0
    try trainer.train(until: { stop(done) }) { done = $0.step }
    return line.parameters[0].tensor.floats() + trainer.weights[0].tensor.floats()
  }

  private func run(_ folder: URL) throws -> TrainingRun {
    try TrainingRun(folder: folder, configuration: ["a": 1], text: "a: 1")
  }

  @Test("a folder in which a training runs is refused to another one, and its end frees it")
  func twoTrainings() throws {
    try withRun { folder in
      let first = try run(folder)
      let error = #expect(throws: TrainingError.self) { try self.run(folder) }
      withExtendedLifetime(first) {}
      #expect("\(try #require(error))".contains("is in use by process \(getpid())"))
    }
    try withRun { folder in
      do { _ = try run(folder) }
      _ = try run(folder)
      #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "lock").path))
    }
  }

  @Test("a training finds what it is to find, and logs the way")
  func fits() throws {
    try withRun { folder in
      let weights = try train(folder, steps: 200)
      #expect(abs(weights[0] - 3) < 0.02)
      #expect(abs(weights[1] - 1) < 0.02)
      let log = try String(contentsOf: folder.appending(path: "log.jsonl"), encoding: .utf8)
      #expect(log.split(separator: "\n").count == 20)
      #expect(log.contains("\"slope\""))
      let curve = try Picture.read(from: folder.appending(path: "curve.png"))
      #expect(curve.width == 720)
      let page = try String(contentsOf: folder.appending(path: "index.html"), encoding: .utf8)
      #expect(page.contains("Step 200 of 200: done.") && !page.contains("refresh"))
    }
  }

  @Test(
    "a training that was stopped and taken up again ends with the same bits",
    arguments: [1, 13, 59])
  func resumes(stop: Int) throws {
    let whole = try withRun { try train($0, steps: 60) }
    let halved = try withRun { folder in
      _ = try train(folder, steps: 60, until: { $0 >= stop })
      return try train(folder, steps: 60)
    }
    #expect(halved == whole)
  }

  @Test("a checkpoint of another network is refused with the key that differs")
  func refusesForeign() throws {
    try withRun { folder in
      _ = try train(folder, steps: 10)
      let run = try run(folder)
      let error = #expect(throws: TrainingError.self) {
        try run.restore([("model.weight", Tensor.zeros([3]))])
      }
      #expect("\(error.map { "\($0)" } ?? "")".contains("'model.weight' is [2] there and [3] here"))
    }
  }

  @Test("the rate rises, stays and falls to zero")
  func rates() {
    let schedule = schedule(steps: 100)
    #expect(abs(schedule.rate(at: 0) - 0.1 / 5) < 1e-12)
    #expect(schedule.rate(at: 50) == 0.1)
    #expect(abs(schedule.rate(at: 99) - 0.1 / 20) < 1e-12)
  }
}

@Suite struct TrainingRunTests {
  private struct Asked: Codable {
    struct Network: Codable {
      var width: Int
      var levels: [Int]
      var bias: Bool?
    }
    var network: Network
    var styles: Double
    var schedule: TrainingSchedule
  }

  private static let text = """
    network:
      width: 8            # narrow
      levels: [1, 2]
    styles: 0.2           # a fifth of the corpus
    schedule: {seed: 1, steps: 10, batch: 16, rate: 0.1, warmup: 5, cooldown: 20, decay: 0,
      beta2: 0.99, clip: 10, averaging: 0.9, saveEvery: 7, sampleEvery: 50}
    """

  private func open(_ text: String, _ folder: URL, size: Int = 64) throws -> TrainingRun {
    let url = folder.appending(path: "given.yaml")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
    return try TrainingRun(
      folder: folder.appending(path: "run"),
      configuration: Configuration.read(Asked.self, from: url),
      text: text, options: ["--size": String(size)])
  }

  /// A run folder with a checkpoint in it.
  private func withBegun(_ body: (URL, _ kept: () throws -> String) throws -> Void) throws {
    try withRun { folder in
      do {
        let run = try open(Self.text, folder)
        try run.begin()
        try run.save(step: 3, [("weight", Tensor([1, 2] as [Float]))])
      }
      try body(folder) {
        try String(contentsOf: folder.appending(path: "run/config.yaml"), encoding: .utf8)
      }
    }
  }

  @Test(
    "a run that has a checkpoint is not continued with other values, and keeps its configuration",
    arguments: [
      ("rate: 0.1", "rate: 0.2", ["schedule.rate: 0.1 there, 0.2 here"]),
      ("styles: 0.2", "styles: 0.25", ["styles: 0.2 there, 0.25 here"]),
      ("width: 8", "width: 16", ["network.width: 8 there, 16 here"]),
      ("levels: [1, 2]", "levels: [1, 2, 2]", ["network.levels: [1,2] there, [1,2,2] here"]),
      ("width: 8", "width: 8\n  bias: true", ["network.bias: nothing there, true here"]),
      (
        "seed: 1, steps: 10, batch: 16", "seed: 2, steps: 20, batch: 32",
        ["schedule.seed: 1 there, 2 here", "schedule.batch: 16 there, 32 here"]
      ),
    ])
  func refuses(old: String, new: String, told: [String]) throws {
    try withBegun { folder, kept in
      #expect(Self.text.contains(old))
      let error = #expect(throws: TrainingError.self) {
        try open(Self.text.replacing(old, with: new), folder).begin()
      }
      let text = "\(error.map { "\($0)" } ?? "")"
      for part in told + [folder.appending(path: "run").path, "--run", "schedule.steps"] {
        #expect(text.contains(part), "\(part) is not in:\n\(text)")
      }
      #expect(text.split(separator: "\n").count == 2 + told.count)
      let now = try kept()
      #expect(now == Self.text)
    }
  }

  @Test("a run on other pictures is not continued; a checkpoint that tells none is")
  func pictures() throws {
    try withBegun { folder, _ in
      let error = #expect(throws: TrainingError.self) { try open(Self.text, folder, size: 128) }
      #expect("\(error.map { "\($0)" } ?? "")".contains("--size: 64 there, 128 here"))
      try SafeTensors.write(
        ["weight": Tensor([1, 2] as [Float])], metadata: ["step": "3"],
        to: folder.appending(path: "run/checkpoint.safetensors"))
      _ = try open(Self.text, folder, size: 128)
    }
  }

  @Test(
    "a longer run, other remarks and another order are the same training",
    arguments: [
      text.replacing("steps: 10", with: "steps: 20"), text.replacing("steps: 10", with: "steps: 5"),
      text.replacing("# narrow", with: "# wide enough"),
      text.replacing("rate: 0.1", with: "rate: 1e-1").replacing("decay: 0,", with: "decay: 0.0,"),
      "styles: 0.2\n" + text.replacing("styles: 0.2           # a fifth of the corpus\n", with: ""),
    ])
  func accepts(text: String) throws {
    try withBegun { folder, kept in
      #expect(text != Self.text)
      let run = try open(text, folder)
      try run.begin()
      let now = try kept()
      #expect(now == text)
      #expect(try run.restore([("weight", Tensor([0, 0] as [Float]))]) == 3)
    }
  }

  @Test("before there is a checkpoint everything may change")
  func unbegun() throws {
    try withRun { folder in
      try open(Self.text, folder).begin()
      let other = Self.text.replacing("rate: 0.1", with: "rate: 0.2")
      try open(other, folder).begin()
    }
  }

  @Test("a configuration of an earlier version, which fits no more, is compared as it stands")
  func earlier() throws {
    try withBegun { folder, _ in
      let url = folder.appending(path: "run/config.yaml")
      let old = Self.text.replacing("styles: 0.2", with: "textures: 0.5")
      try Data(old.utf8).write(to: url)
      let error = #expect(throws: TrainingError.self) { try open(Self.text, folder) }
      let text = "\(error.map { "\($0)" } ?? "")"
      #expect(text.contains("styles: nothing there, 0.2 here"))
      #expect(text.contains("textures: 0.5 there, nothing here"))
      #expect(text.split(separator: "\n").count == 4)
    }
  }
}

@Suite struct ConfigurationTests {
  private struct Sample: Codable {
    var steps: Int
    var rate: Double
  }

  private func read(_ text: String) throws -> Sample {
    let url = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).yaml")
    defer { try? FileManager.default.removeItem(at: url) }
    try Data(text.utf8).write(to: url)
    return try Configuration.read(Sample.self, from: url)
  }

  @Test("a flat file with reasons is read")
  func reads() throws {
    #expect(try read("steps: 5  # enough\nrate: 0.1\n").steps == 5)
  }

  @Test(
    "what is wrong is named",
    arguments: [
      ("steps: 5\nrate: 0.1\nstep: 3\n", "unknown key 'step'. Did you mean 'steps'?"),
      ("steps: 5\nrate: 0.1\nflavour: 3\n", "unknown key 'flavour'; there are rate, steps"),
      ("steps: 5\n", "'rate' is missing"),
      ("steps: many\nrate: 0.1\n", "'steps'"),
      ("steps: [", ".yaml"),
    ])
  func refuses(text: String, message: String) {
    let error = #expect(throws: TrainingError.self) { try read(text) }
    #expect("\(error.map { "\($0)" } ?? "")".contains(message))
  }
}

@Suite struct CodebookFittingTests {
  @Test("k-means finds the centres of separate clouds, and a second level halves what is left")
  func clouds() {
    let stream = RandomStream(seed: 5, "clouds")
    let centres = Tensor([0, 0, 10, 0, 0, 10, 10, 10] as [Float], [4, 2])
    let points = centres.repeatInterleaved(200, over: 0) + stream.normal([800, 2]) * 0.3
    var errors: [Int: Double] = [:]
    let codebooks = CodebookFitting.fit(points, entries: 16, levels: 2, rounds: 10, seed: 1) {
      level, _, error in errors[level] = error
    }
    #expect(codebooks.map(\.shape) == [[16, 2], [16, 2]])
    #expect((errors[0] ?? .infinity) < 0.09)
    #expect((errors[1] ?? .infinity) < (errors[0] ?? 0) / 2)
  }
}

@Suite struct ImageQualityTests {
  @Test("a picture is wholly like itself; noise lowers both measures")
  func measures() {
    let stream = RandomStream(seed: 3, "pictures")
    let x = stream.uniform([2, 3, 32, 32])
    #expect(abs(ImageQuality.ssim(x, x) - 1) < 1e-5)
    // A uniform error of 0.1 is 20 dB.
    #expect(abs(ImageQuality.psnr(x, x + 0.1) - 20) < 1e-3)
    #expect(ImageQuality.ssim(x, stream.uniform([2, 3, 32, 32])) < 0.2)

    let near = (x + stream.uniform([2, 3, 32, 32]) * 0.02).clamped(0, 1)
    let exact = ImageQuality.ssim(x, near)
    autocast(.bfloat16, on: .cpu) {
      #expect(ImageQuality.ssim(x, near) == exact)
      // What stood around it stands again.
      #expect(x[0].matmul(x[0]).dtype == .bfloat16)
    }
    #expect(x[0].matmul(x[0]).dtype == .float32)
  }
}

@Suite struct TextureLikenessTests {
  @Test("strokes that lie elsewhere are alike; none, or others, are not")
  func measures() {
    let size = 64
    func picture(_ value: (Int, Int) -> Float) -> Tensor {
      let plane = (0..<size * size).map { value($0 % size, $0 / size) }
      return Tensor(plane + plane + plane, [1, 3, size, size])
    }
    let faint: Float = 0.05
    let stripes = picture { x, _ in x / 2 % 2 == 0 ? faint : -faint }
    let moved = picture { x, _ in (x + 1) / 2 % 2 == 0 ? faint : -faint }
    let across = picture { _, y in y / 2 % 2 == 0 ? faint : -faint }
    let even = picture { _, _ in 0 }
    func distance(_ x: Tensor, _ y: Tensor) -> Double { TextureLikeness.distance(x, y).item() }
    #expect(distance(stripes, stripes) == 0)
    #expect(distance(stripes, moved) < 0.1)
    #expect(distance(stripes, across) > 1)
    #expect(distance(stripes, even) > 2 && distance(even, even) == 0)
    // Also beside an outline that is twenty times as strong.
    let outline = picture { x, _ in x < 30 ? -1 : 1 }
    #expect(distance(stripes * 0.5 + outline, outline) > 1.5)
  }
}

@Suite struct ProportionTests {
  @Test("Wilson's interval agrees with published values")
  func wilson() {
    // 81 of 263: (0.2553, 0.3662), Newcombe 1998, method 3.
    let interval = Proportion(81, of: 263).interval
    #expect(abs(interval.lowerBound - 0.2553) < 5e-5)
    #expect(abs(interval.upperBound - 0.3662) < 5e-5)
    #expect(Proportion(0, of: 0).interval == 0...1)
  }
}
