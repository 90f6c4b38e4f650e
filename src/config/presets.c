#include "config/presets.h"

/* Sources: docs/presets.md. */
const char *presets_text(void)
{
	return "preset \"exchange-online\" { lifetime 1d; schedule 15m 15m 15m 30m 1h; "
	       "delay_notice 4h; }\n"
	       "preset \"exchange-server\" { lifetime 2d; delay_notice 4h;"
	       " schedule 1m 1m 1m 1m 5m 5m 5m 5m 5m 5m 10m; }\n"
	       "preset \"exim\" { lifetime 4d; delay_notice 1d;"
	       " schedule 15m 15m 15m 15m 15m 15m 15m 15m 1h 1h30m 2h15m 3h22m30s 5h3m45s 6h; }\n"
	       "preset \"gmail\" { lifetime 3d; schedule 5m 15m 30m 1h 2h 4h; delay_notice 1d; }\n"
	       "preset \"kumomta\" { lifetime 7d; delay_notice 0;"
	       " schedule 20m 40m 80m 160m 320m 640m 1280m 2560m 5120m; }\n"
	       "preset \"opensmtpd\" { lifetime 4d; delay_notice 4h; schedule"
	       " 400s 1200s 2000s 2800s 3600s 4400s 5200s 6000s 6800s 7600s 8400s 9200s 10000s"
	       " 10800s 11600s 12400s 13200s 14000s 14800s 15600s 16400s 17200s 18000s 18800s"
	       " 19600s 20400s 21200s 22000s 22800s 23600s; }\n"
	       "preset \"postfix\" { lifetime 5d; schedule 5m 5m 10m 20m 40m 1h6m40s; delay_notice "
	       "0; "
	       "}\n"
	       "preset \"qmail\" { lifetime 7d; notice_lifetime 7d; delay_notice 0; schedule"
	       " 400s 1200s 2000s 2800s 3600s 4400s 5200s 6000s 6800s 7600s 8400s 9200s 10000s"
	       " 10800s 11600s 12400s 13200s 14000s 14800s 15600s 16400s 17200s 18000s 18800s"
	       " 19600s 20400s 21200s 22000s 22800s 23600s 24400s 25200s 26000s 26800s 27600s"
	       " 28400s 29200s 30000s; }\n"
	       "preset \"sendmail\" { lifetime 5d; notice_lifetime 5d; schedule 30m; delay_notice "
	       "4h; }\n"
	       "preset \"ses\" { lifetime 14h; schedule 1m 2m 4m 8m 15m 30m 1h; delay_notice 0; }\n"
	       "preset \"stalwart\" { lifetime 3d; schedule 2m 5m 10m 15m 30m 1h 2h 1d 3d;"
	       " delay_notice 1d; }\n"
	       "preset \"transactional\" { lifetime 1h; notice_lifetime 1h; delay_notice 10m;"
	       " schedule 30s 1m 2m 5m; }\n";
}
