"""`webuiapi`, a client of AUTOMATIC1111's API from PyPI, against the studio."""
import webuiapi
from PIL import Image

from common import Studio, check, done

with Studio() as studio:
    host, port = studio.address.split("//")[1].split(":")
    api = webuiapi.WebUIApi(host=host, port=int(port))
    check([sampler["name"] for sampler in api.get_samplers()], "samplers")
    check(api.get_sd_models()[0]["title"], "models")
    check(api.get_options()["sd_model_checkpoint"], "options")
    check(api.get_cmd_flags()["api"], "flags")
    result = api.txt2img(
        prompt="a red fox", negative_prompt="", seed=7, steps=8, width=256, height=256,
        sampler_name="DALL-E", batch_size=2)
    check(len(result.images) == 2 and result.images[0].size == (256, 256), "txt2img")
    check(result.info["all_seeds"][0] == 7, "seeds")
    same = api.txt2img(
        prompt="a red fox", negative_prompt="", seed=7, steps=8, width=256, height=256,
        sampler_name="DALL-E", batch_size=2)
    check(same.image.tobytes() == result.image.tobytes(), "one seed, one picture")
    other = api.img2img(
        images=[result.image], prompt="a blue fox", steps=20, denoising_strength=0.5, seed=1,
        width=256, height=256)
    check(other.image.size == (256, 256), "img2img")
    mask = Image.new("RGB", (256, 256), "black")
    mask.paste("white", (128, 0, 256, 256))
    inside = api.img2img(
        images=[result.image], mask_image=mask, prompt="a blue fox", steps=10, seed=1,
        width=256, height=256, mask_blur=4)
    left = (0, 0, 96, 256)
    check(inside.image.convert("RGB").crop(left).tobytes()
          == result.image.convert("RGB").crop(left).tobytes(), "outside the mask all stays")
    words = api.interrogate(result.image).info
    check("fox" in words, f"interrogate: {words}")
    check(api.png_info(result.image) is not None, "png-info")
    large = api.extra_single_image(
        result.image, upscaler_1=webuiapi.Upscaler.Lanczos, upscaling_resize=2)
    check(large.image.size == (512, 512), "extra-single-image")
    check(api.get_progress()["progress"] == 0, "progress")
    api.interrupt()
done("webuiapi: samplers, models, options, txt2img, img2img, masks, interrogate, png-info, upscaling, progress, interrupt")
