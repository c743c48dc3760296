import ArgumentParser
import Foundation
import Painting

/// `reverie [paint] PROMPT…`: paints a picture of a text.
struct Paint: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Paints a picture of a text.",
    usage: """
      reverie <prompt> ... [options]
      reverie again <picture.png> [options]
      """,
    discussion: """
      It is painted on this machine, by networks that come with the program, and
      the path of its file is printed.

      PROMPTS
        "a red fox"                 one text
        "a red fox | snow:0.5"      several with weights (vqgan-clip)
        "a red fox | text:-0.3"     a negative weight pushes away
        "a red fox:1:0.8"           a third number: near enough below this distance

      EXAMPLES
        reverie "a sailboat on a blue background"
        reverie "a fox" --count 4 --seed 7
        reverie "a pizza | green:0.3" --iterations 300 --save-every 50
        reverie "a whale" --init-image sketch.png --size 512x384
        reverie again outputs/20260901/143052-a-fox-7.png

      OTHER COMMANDS
        reverie again FILE.png    paints a picture once more
        reverie paint PROMPT      the same as without 'paint'
        reverie models            installs and explains checkpoints that you have
        reverie train STAGE       trains one part of a model pack
        reverie pack              gathers what was trained into a pack
        reverie evaluate          measures how well a pack paints
        reverie help COMMAND      help on a command

      ^C once saves the best picture so far; twice stops at once.
      Exit codes: 0 done, 64 wrong use, 1 failed, 130 stopped by ^C.
      """)

  @Argument(help: "What to paint.")
  var prompt: [String] = []

  @OptionGroup(title: "Picture")
  var picture: PictureOptions

  @OptionGroup(title: "Under CLIP's guidance (vqgan-clip, fft, pixels)")
  var optimisation: OptimisationOptions

  @OptionGroup(title: "DALL·E")
  var sampling: SamplingOptions

  @OptionGroup(title: "Output")
  var output: OutputOptions

  @OptionGroup(title: "Execution")
  var execution: ExecutionOptions

  /// The request as the options give it.
  func request() throws -> Request {
    var request = Request(prompt.joined(separator: " "))
    request.method = picture.method
    request.width = picture.size?.width
    request.height = picture.size?.height
    request.seed = picture.seed
    request.clip = picture.clip
    request.model = picture.model
    request.iterations = optimisation.iterations
    request.cutouts = optimisation.cutouts
    request.learningRate = optimisation.learningRate
    request.optimizer = optimisation.optimizer
    request.augmentations = optimisation.augmentations?.list
    request.candidates = sampling.candidates
    request.rank = sampling.rank
    request.conditionScale = sampling.conditionScale
    request.temperature = sampling.temperature
    request.topK = sampling.topK
    request.precision = execution.precision
    return request
  }

  func run() async throws {
    var request = try request()
    try request.validate()
    guard (1...1000).contains(picture.count) else {
      throw ValidationError("--count must be from 1 to 1000, not \(picture.count).")
    }
    let device = try execution.resolvedDevice()
    let destination = try Destination(output)
    let initial = try picture.initImage.map { try InitImage(path: $0) }
    request.initImage = initial?.reference
    let pack = try execution.openPack()
    request = try pack.resolve(request, count: picture.count, device: device)
    let session = Session(
      engine: Engine(pack: pack, device: device, threads: execution.resolvedThreads),
      destination: destination, output: output)
    try await session.run(
      request,
      Engine.Options(
        count: picture.count, initial: initial?.picture, previewEvery: output.saveEvery))
  }
}
