import Foundation
import Imaging
import Library
import Models
import Painting
import Torch
import Weights

/// Reverie's side of the benchmarks; `Benchmarks/run` sets it against the peers.
///
/// Each prints one JSON object: seconds, and the peak of resident memory in megabytes.
@main
struct Bench {
  static func main() async throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    let folder = URL(filePath: arguments.dropFirst().first ?? ".oracle/full")
    switch arguments.first {
    case "gemm": gemm(arguments.dropFirst().first == "float32" ? .float32 : .bfloat16)
    case "bandwidth": bandwidth()
    case "open": try open(folder.appending(path: arguments.dropFirst(2).first ?? ""))
    case "load": try load(folder.appending(path: "ViT-L-14.pt"))
    case "clip": try clip(folder)
    case "vqgan": try vqgan(folder)
    case "esrgan": try await esrgan(folder)
    case "iteration": try await iteration(folder, arguments.dropFirst(2).first)
    case "big-sleep": try await bigSleep(folder)
    case "guided": try await guided(folder)
    case "attngan": try await attngan(folder)
    case "memory": try await memory()
    case "traces": try await traces()
    case "dalle":
      let options = arguments.dropFirst(2)
      try dalle(
        folder, options.first ?? "bfloat16", count: options.dropFirst().first.flatMap(Int.init) ?? 1
      )
    default:
      FileHandle.standardError.write(
        Data(
          """
          usage: reverie-bench gemm TYPE | bandwidth | memory | traces | open FOLDER FILE
                 reverie-bench (load | clip | vqgan | esrgan | big-sleep | guided | attngan) FOLDER
                 reverie-bench iteration FOLDER [TYPE]
                 reverie-bench dalle FOLDER [float32 | bfloat16 | int8 [PICTURES]]

          """.utf8))
      exit(64)
    }
  }

  /// The ceiling: a product of two matrices of 2048², in GFLOP/s.
  static func gemm(_ type: DType) {
    let stream = RandomStream(seed: 1, "gemm")
    let (a, b) = (stream.normal([2048, 2048]).to(type), stream.normal([2048, 2048]).to(type))
    let seconds = (0..<12).map { _ in time { _ = a.matmul(b).size(0) } }.min() ?? 1
    print("{\"gflops\": \(2 * 2048.0 * 2048 * 2048 / seconds / 1e9)}")
  }

  /// What memory gives to all threads, in GB/s: the sum of half a gigabyte.
  static func bandwidth() {
    let numbers = Tensor.ones([1 << 27])
    let seconds = (0..<12).map { _ in time { _ = numbers.sum().item() } }.min() ?? 1
    print("{\"gigabytes\": \(Double(4 << 27) / seconds / 1e9)}")
  }

  /// Opening a file and listing its tensors.
  static func open(_ url: URL) throws {
    let before = residentMegabytes()
    var count = 0
    let seconds = try time { count = try openTensors(at: url).entries.count }
    report(seconds, ["tensors": Double(count), "grownMB": residentMegabytes() - before])
  }

  /// ViT-L/14 from OpenAI's kind of archive to bfloat16.
  static func load(_ url: URL) throws {
    var clip: CLIP?
    let seconds = try time {
      let found = try Recognition(of: openTensors(at: url))
      guard let config = found.config as? CLIP.Config else { return }
      clip = try found.checkpoint().build(.bfloat16, leftovers: CLIP.leftovers) { CLIP($0, config) }
    }
    report(seconds, ["scale": clip?.logitScale.item() ?? 0])
  }

  /// 32 pictures through ViT-B/32.
  static func clip(_ folder: URL) throws {
    let found = try Recognition(
      of: openTensors(at: folder.appending(path: "ViT-B-32.safetensors")))
    guard let config = found.config as? CLIP.Config else { return }
    let clip = try found.checkpoint().build(leftovers: CLIP.leftovers) { CLIP($0, config) }
    let pictures = RandomStream(seed: 1, "pictures").normal([32, 3, 224, 224])
    reportMedian { clip.encodeImage(pictures) }
  }

  /// A picture of 256² through f16-16384 and back.
  static func vqgan(_ folder: URL) throws {
    let found = try Recognition(
      of: openTensors(at: folder.appending(path: "vqgan-f16-16384.safetensors")))
    guard let config = found.config as? VQGAN.Config else { return }
    let vqgan = try found.checkpoint().build { VQGAN($0, config) }
    let picture = RandomStream(seed: 1, "picture").uniform([1, 3, 256, 256]) * 2 - 1
    reportMedian { vqgan.decode(vqgan.quantize(vqgan.encode(picture)).quantized) }
  }

  /// Real-ESRGAN x4 of 256², as pictures are enlarged: in tiles.
  static func esrgan(_ folder: URL) async throws {
    let scratch = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: scratch) }
    let library = ModelLibrary(store: ModelStore(folder: scratch))
    var particulars = ModelLibrary.Particulars()
    particulars.id = "esrgan"
    _ = try library.add([folder.appending(path: "RealESRGAN_x4plus.pth")], particulars, .link)
    let engine = Engine(
      pack: try Pack(folder: Pack.embedded), library: library, threads: Libtorch.threads)
    let picture = try Picture(RandomStream(seed: 1, "picture").uniform([3, 256, 256]))
    var times: [Double] = []
    for _ in 0..<2 {
      let start = ContinuousClock.now
      _ = try await engine.enlarge(picture, by: 4, model: "esrgan")
      times.append((ContinuousClock.now - start).seconds)
    }
    report(times[1], [:])
  }

  /// The median of five, after one.
  private static func reportMedian(_ body: () -> Tensor) {
    let times = (0..<6).map { _ in time { noGrad { _ = body().size(0) } } }
    report(times.dropFirst().sorted()[2], [:])
  }

  /// VQGAN+CLIP at 256², f16-16384 and ViT-B/32 with 32 views: seconds an iteration after the second.
  /// - Parameter precision: nil is what the machine computes fastest in.
  static func iteration(_ folder: URL, _ precision: String?) async throws {
    var request = Request("a castle in the clouds")
    request.method = "vqgan-clip"
    (request.clip, request.model) = ("clip", "vqgan")
    (request.width, request.height) = (256, 256)
    (request.cutouts, request.iterations, request.seed) = (32, 8, 1)
    request.augmentations = [.affine, .perspective, .jitter, .erasing]
    request.precision = precision.flatMap(Request.Precision.init(rawValue:))
    try await reportStep(
      request, folder,
      [
        ("clip", "full/ViT-B-32.safetensors"), ("vqgan", "full/vqgan-f16-16384.safetensors"),
        ("vocabulary", "bpe_simple_vocab_16e6.txt.gz"),
      ])
  }

  /// BigGAN-deep at 512 pixels under ViT-B/32 with 128 cutouts, as big-sleep has them: seconds an iteration.
  static func bigSleep(_ folder: URL) async throws {
    var request = Request("a castle in the clouds")
    request.method = "big-sleep"
    (request.clip, request.model, request.precision) = ("clip", "biggan", .float32)
    (request.width, request.height) = (512, 512)
    (request.cutouts, request.iterations, request.seed) = (128, 5, 1)
    try await reportStep(
      request, folder,
      [
        ("clip", "full/ViT-B-32.safetensors"), ("biggan", "full/biggan-deep-512"),
        ("vocabulary", "bpe_simple_vocab_16e6.txt.gz"),
      ])
  }

  /// A guided step as Disco Diffusion takes it: OpenAI's network for 256 pixels, the secondary model, ViT-B/32 and 16
  /// cutouts.
  static func guided(_ folder: URL) async throws {
    var request = Request("a castle in the clouds")
    request.method = "diffusion"
    (request.clip, request.model, request.precision) = ("clip", "guided", .float32)
    (request.width, request.height) = (256, 256)
    (request.cutouts, request.iterations, request.seed) = (16, 250, 1)
    // One batch of views a step, as the peer takes; by Disco's own default it would be four.
    (request.cutMode, request.accumulate) = (.dango, 1)
    request.arguments = [
      "secondary": .string("secondary"), "guidance": .number(5000), "look": .string("blended"),
      "eta": .number(0.8), "clampGradient": .number(0.05),
    ]
    try await reportStep(
      request, folder,
      [
        ("clip", "full/ViT-B-32.safetensors"), ("guided", "full/256x256_diffusion_uncond.pt"),
        ("secondary", "full/secondary_model_imagenet_2.safetensors"),
        ("vocabulary", "bpe_simple_vocab_16e6.txt.gz"),
      ], steps: 7)
  }

  /// One picture of AttnGAN's network for birds at 256 pixels, its text read: the median of five after the first.
  static func attngan(_ folder: URL) async throws {
    let scratch = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: scratch) }
    let library = ModelLibrary(store: ModelStore(folder: scratch))
    var particulars = ModelLibrary.Particulars()
    particulars.id = "bird"
    _ = try library.add([folder.appending(path: "attngan")], particulars, .link)
    let engine = Engine(pack: try Pack(folder: Pack.embedded), library: library, threads: 2)
    var request = Request("a small red bird with a black beak")
    (request.method, request.model, request.precision) = ("attngan", "bird", .float32)
    request.candidates = 1
    var times: [Double] = []
    for seed in 0..<6 {
      request.seed = seed
      let start = ContinuousClock.now
      _ = try await engine.picture(of: request)
      times.append((ContinuousClock.now - start).seconds)
    }
    report(times.dropFirst().sorted()[2], [:])
  }

  /// The median time of a step of a painting but the first.
  /// - Parameters:
  ///   - models: installed for it, by name and file.
  ///   - steps: after which it is stopped; nil for its end.
  private static func reportStep(
    _ request: Request, _ folder: URL, _ models: [(id: String, name: String)],
    steps wanted: Int? = nil
  ) async throws {
    let scratch = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: scratch) }
    let library = ModelLibrary(store: ModelStore(folder: scratch))
    for (id, name) in models {
      var particulars = ModelLibrary.Particulars()
      particulars.id = id
      let url = folder.deletingLastPathComponent().appending(path: name)
      _ = try library.add([url], particulars, .link)
    }
    let engine = Engine(
      pack: try Pack(folder: Pack.embedded), library: library, threads: Libtorch.threads)
    var times: [ContinuousClock.Instant] = []
    let painting = engine.generate(request)
    for try await event in painting {
      if case .step = event { times.append(.now) }
      if times.count == wanted { painting.stop() }
    }
    let steps = zip(times.dropFirst(2), times.dropFirst(1)).map { ($0 - $1).seconds }.sorted()
    report(steps[steps.count / 2], [:])
  }

  /// Two networks of 270 MB in turn where one may be kept: what the engine says that it holds, and what the
  /// process is resident with, after each painting.
  static func memory() async throws {
    let scratch = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: scratch) }
    let library = ModelLibrary(store: ModelStore(folder: scratch.appending(path: "models")))
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    for (seed, id) in [(1, "a"), (2, "b")] {
      let weights = Initializer(seed: UInt64(seed))
      _ = VQGAN(Parameters(weights), .imagenetF16x1024)
      let url = scratch.appending(path: "\(id).safetensors")
      try SafeTensors.write(
        Dictionary(uniqueKeysWithValues: weights.parameters.map { ($0.key, $0.tensor.detached()) }),
        to: url)
      _ = try library.add([url])
    }
    let engine = Engine(
      pack: try Pack(folder: Pack.embedded), library: library, threads: 2, memory: 450 << 20)
    for model in ["a", "b", "a"] {
      var request = Request("a red fox")
      (request.method, request.model) = ("vqgan-clip", model)
      (request.width, request.height, request.seed) = (64, 64, 1)
      (request.iterations, request.cutouts, request.precision) = (1, 1, .float32)
      let before = residentMegabytes()
      _ = try await engine.picture(of: request)
      let held = await Double(engine.networkBytes) / 1e6
      print(
        "{\"model\": \"\(model)\", \"heldMB\": \(held), \"residentMB\": \(residentMegabytes()), "
          + "\"grownMB\": \(residentMegabytes() - before)}")
    }
  }

  /// What recording how a picture came about costs: the pack's pictures in turn with and without it, the median of
  /// five ratios of a method's time.
  static func traces() async throws {
    let engine = Engine(pack: try Pack(folder: Pack.embedded), threads: Libtorch.threads)
    for method in ["vqgan-clip", "diffusion", "dalle"] {
      var request = Request("a red apple")
      (request.method, request.seed) = (Method.ID(rawValue: method), 1)
      func paint(_ traces: Bool) async throws -> (seconds: Double, picture: Picture?, bytes: Int) {
        var picture: Picture?
        var bytes = 0
        let start = ContinuousClock.now
        for try await event in engine.generate(request, .init(traces: traces)) {
          guard case .image(let output) = event else { continue }
          picture = output.picture
          bytes = try output.trace.map { try JSONEncoder().encode($0).count } ?? 0
        }
        return ((ContinuousClock.now - start).seconds, picture, bytes)
      }
      _ = try await paint(true)
      var ratios: [Double] = []
      var seconds: [Double] = []
      var recorded = 0
      for _ in 0..<5 {
        let (plain, traced) = (try await paint(false), try await paint(true))
        guard plain.picture == traced.picture else { fatalError("recording changed a pixel") }
        ratios.append(traced.seconds / plain.seconds)
        seconds.append(plain.seconds)
        recorded = traced.bytes
      }
      print(
        "{\"method\": \"\(method)\", \"seconds\": \(seconds.sorted()[2]), \"ratio\": \(ratios.sorted()[2]), "
          + "\"bytes\": \(recorded)}")
    }
  }

  /// The 256 codes of pictures by DALL·E mini, condition scale 2, after a short attempt, with the gigabytes of weights
  /// that were read for them in a second.
  static func dalle(_ folder: URL, _ type: String, count: Int) throws {
    let file = folder.appending(path: "dalle-mini.safetensors")
    let isSmall = type == "int8"
    let dtype: DType = type == "bfloat16" ? .bfloat16 : .float32
    let config = DALLEBart.Config.mini
    let model = try Checkpoint(contentsOf: file)
      .build(dtype, eightBits: isSmall, leftovers: DALLEBart.leftovers(config)) {
        DALLEBart($0, config)
      }
    // Of a layer its own four projections, two of the text's, whose keys and values are there already, and three of
    // the gated part.
    let width = config.embed_count
    let layer = 6 * width * width + 3 * width * config.glu_embed_count
    let weights = config.decoder_layer_count * layer + width * (config.image_vocab_count + 1)
    // A caption of twenty tokens and the empty one, which begins and ends; the rest is padding.
    let padding = Array(repeating: 1, count: 62)
    let texts = Tensor(Array(2...21) + padding.dropFirst(18) + [0, 2] + padding, [2, 64])
    let sampling = DALLEBart.Sampling(conditionScale: 2, temperature: 1, topK: 256)
    struct Enough: Error {}
    func draw(upTo last: Int) throws {
      let stream = RandomStream(seed: 1, "dalle")
      _ = try model.sample(
        texts[0..<1], empty: texts[1..<2], count: count, sampling, stream, threads: Libtorch.threads
      ) {
        if $0.count == last { throw Enough() }
      }
    }
    try? draw(upTo: 8)
    let seconds = try time { try draw(upTo: .max) }
    let bytes = weights * (isSmall ? 1 : dtype.size) * config.image_token_count
    report(seconds, ["gigabytes": Double(bytes) / seconds / 1e9])
  }

  // MARK: Measuring

  static func time(_ body: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try body()
    return (ContinuousClock.now - start).seconds
  }

  static func report(_ seconds: Double, _ others: [String: Double]) {
    var fields = ["\"seconds\": \(seconds)", "\"peakMB\": \(peakMegabytes())"]
    fields += others.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \($0.value)" }
    print("{\(fields.joined(separator: ", "))}")
  }

  static func status(_ field: String) -> Double {
    let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix(field) }
    return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Double($0) } ?? 0
  }

  static func peakMegabytes() -> Double { status("VmHWM:") / 1024 }
  static func residentMegabytes() -> Double { status("VmRSS:") / 1024 }
}
