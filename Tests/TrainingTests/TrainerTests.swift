import Foundation
import Imaging
import Testing
import Torch

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
      line, schedule(steps: steps), run: try TrainingRun(folder: folder, configuration: "a: 1"),
      precision: .float32, device: .cpu)
    var done = 0
    try trainer.train(until: { stop(done) }) { done = $0.step }
    return line.parameters[0].tensor.floats() + trainer.weights[0].tensor.floats()
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
      let run = try TrainingRun(folder: folder, configuration: "a: 1")
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
